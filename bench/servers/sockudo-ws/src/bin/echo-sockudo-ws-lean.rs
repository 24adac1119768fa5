//! With the system's allocator, as sockudo-ws measures its own memory.

fn main() -> std::io::Result<()> {
    echo_sockudo_ws::run()
}
