//! With the allocator that sockudo-ws' README recommends, as its feature `mimalloc` sets it.

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::io::Result<()> {
    echo_sockudo_ws::run()
}
