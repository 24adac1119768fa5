//! `/metrics`, in the text format of Prometheus.

use super::super::counters::Counters;
use crate::log::lines_lost;
use std::fmt::Write;
use std::sync::atomic::Ordering::Relaxed;
use wskit_hub::Hub;

/// All that is counted and measured.
pub(super) fn write(counters: &Counters, hub: &Hub) -> String {
    let mut text = String::new();
    let (opened, ended) = (counters.opened.load(Relaxed), counters.ended.load(Relaxed));
    let store = hub.statistics();
    let waiting = hub.waiting();
    let (received, delivered) = (&counters.received, &counters.delivered);
    for (name, kind, help, value) in [
        ("connections", "gauge", "Connections that are open.", opened.saturating_sub(ended)),
        ("connections_opened_total", "counter", "Connections that were opened.", opened),
        ("rooms", "gauge", "Rooms that somebody is in.", hub.room_count() as u64),
        ("members", "gauge", "Members of all rooms.", hub.member_count() as u64),
        ("messages_received_total", "counter", "Messages from members.", received.messages()),
        ("bytes_received_total", "counter", "Their bytes, inflated.", received.bytes()),
        ("messages_delivered_total", "counter", "Events to members.", delivered.messages()),
        (
            "bytes_delivered_total",
            "counter",
            "Their bytes, before they are compressed.",
            delivered.bytes(),
        ),
        (
            "compression_saved_received_bytes_total",
            "counter",
            "Bytes that compression spared those who have gone to send.",
            counters.saved_received.load(Relaxed),
        ),
        (
            "compression_saved_sent_bytes_total",
            "counter",
            "Bytes that compression spared to be sent to those who have gone.",
            counters.saved_sent.load(Relaxed),
        ),
        (
            "log_lines_lost_total",
            "counter",
            "Lines of the log that nobody read in time.",
            lines_lost(),
        ),
        ("mailbox_waiting_bytes", "gauge", "Bytes that wait for members.", waiting.bytes as u64),
        (
            "mailbox_waiting_bytes_max",
            "gauge",
            "Bytes that wait for the slowest of them.",
            waiting.bytes_max as u64,
        ),
        ("rooms_kept", "gauge", "Rooms that the store keeps.", store.streams as u64),
        ("store_waiting_bytes", "gauge", "Bytes that wait to be kept.", store.waiting_bytes as u64),
        ("messages_kept_total", "counter", "Messages that were kept.", store.kept),
        (
            "messages_known_total",
            "counter",
            "Messages that were sent again and kept already.",
            store.known,
        ),
        ("messages_refused_total", "counter", "Messages that the store refused.", store.refused),
        (
            "store_failed",
            "gauge",
            "Whether the store does not keep messages.",
            store.failure.is_some().into(),
        ),
    ] {
        head(&mut text, name, kind, help);
        line(&mut text, name, "", value);
    }
    head(
        &mut text,
        "closed_total",
        "counter",
        "Connections that the server closed, by close code.",
    );
    for (code, count) in counters.closed() {
        line(&mut text, "closed_total", &format!("{{code=\"{code}\"}}"), count);
    }
    head(&mut text, "refused_total", "counter", "Who was not let in, by reason.");
    for (reason, count) in counters.refusals.counts() {
        line(&mut text, "refused_total", &format!("{{reason=\"{reason}\"}}"), count);
    }
    head(
        &mut text,
        "commit_seconds",
        "histogram",
        "How long commits took until they were on disk.",
    );
    for (bound, count) in store.commit_times.cumulative() {
        line(&mut text, "commit_seconds_bucket", &format!("{{le=\"{bound}\"}}"), count);
    }
    let count = store.commit_times.count();
    line(&mut text, "commit_seconds_bucket", "{le=\"+Inf\"}", count);
    line(&mut text, "commit_seconds_sum", "", store.commit_times.sum().as_secs_f64());
    line(&mut text, "commit_seconds_count", "", count);
    text
}

fn head(text: &mut String, name: &str, kind: &str, help: &str) {
    let _memory_takes_it = writeln!(text, "# HELP wskit_{name} {help}\n# TYPE wskit_{name} {kind}");
}

fn line(text: &mut String, name: &str, labels: &str, value: impl std::fmt::Display) {
    let _memory_takes_it = writeln!(text, "wskit_{name}{labels} {value}");
}
