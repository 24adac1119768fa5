#!/usr/bin/env bash
# interop/openssl.sh WS_URL CA
# `openssl s_client` against the echo server at a wss:// URL: what is agreed on, and how TLS ends.
set -euo pipefail
url=$1 ca=$2
authority=${url#*://} authority=${authority%/}
outcome=0
work=$(mktemp)
trap 'rm -f "$work"' EXIT

# Runs a handshake and leaves what openssl tells in $work.
talk() { timeout 60 openssl s_client -connect "$authority" -CAfile "$ca" -verify_return_error -servername localhost "$@" >"$work" 2>&1; }

check() {
  local name=$1
  shift
  if "$@"; then echo "ok openssl: $name"; else
    echo "not ok openssl: $name: $(tr '\n\r' '  ' <"$work" | cut -c -300)"
    outcome=1
  fi
}

tells() { grep -q "$1" "$work"; }

agrees() { talk "-$1" -alpn http/1.1 </dev/null && tells "$2" && tells "ALPN protocol: http/1.1"; }
check "TLS 1.2 with http/1.1" agrees tls1_2 "TLSv1.2"
check "TLS 1.3 with http/1.1" agrees tls1_3 "TLSv1.3"

without_alpn() { talk </dev/null && tells "No ALPN negotiated"; }
check "a client without ALPN is served" without_alpn

# With an alert of this name.
refuses() {
  local alert=$1
  shift
  ! talk "$@" </dev/null && tells "alert $alert"
}
check "another protocol than http/1.1 is refused" refuses "no application protocol" -alpn acme
check "TLS 1.1 is refused" refuses "handshake failure" -tls1_1 -cipher DEFAULT@SECLEVEL=0

# A whole WebSocket by hand: the example key of RFC 6455, then a masked Close frame. The sleep lets the answers arrive
# before openssl sees the end of its input and leaves.
by_hand() {
  {
    printf 'GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'
    printf 'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n'
    printf '\x88\x80\x00\x00\x00\x00'
    sleep 5
  } | talk -quiet -msg
  tells "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" && tells "<<< TLS 1.3, Alert .*close_notify"
}
check "a WebSocket by hand ends with close_notify" by_hand
exit $outcome
