//! The programs in the guides are the examples, which are compiled and run.

use std::{fs, path::Path};

#[test]
fn the_programs_in_the_guides_are_the_examples() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for (guide, programs) in [
        ("moving-from-axum-ws", 1),
        ("moving-from-fastwebsockets", 1),
        ("moving-from-tokio-tungstenite", 2),
    ] {
        let text = fs::read_to_string(root.join(format!("docs/{guide}.md"))).unwrap();
        let blocks: Vec<&str> = text.split("```rust,file=").skip(1).collect();
        assert_eq!(blocks.len(), programs, "{guide}");
        for block in blocks {
            let (file, rest) = block.split_once('\n').unwrap();
            let program = fs::read_to_string(root.join(file)).expect(file);
            let shown = rest.split_once("```").unwrap().0;
            assert!(shown == program, "docs/{guide}.md does not show {file} as it is");
        }
    }
}
