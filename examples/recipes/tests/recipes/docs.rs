use std::fs;
use std::path::Path;

/// Every Rust block of docs/RECIPES.md stands in a recipe, word for word but for its indentation.
#[test]
fn what_the_document_quotes_is_compiled() {
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    let sources: Vec<String> = fs::read_dir(home.join("src"))
        .unwrap()
        .map(|entry| plain(&fs::read_to_string(entry.unwrap().path()).unwrap()))
        .collect();
    let document = fs::read_to_string(home.join("../../docs/RECIPES.md")).unwrap();
    let blocks: Vec<&str> =
        document.split("\n```rust\n").skip(1).map(|rest| rest.split("\n```").next().unwrap()).collect();
    assert!(blocks.len() >= 10, "there is a block for each recipe");
    assert_eq!(document.matches("```rust").count(), blocks.len(), "a block is marked otherwise, and was not looked at");
    for block in blocks {
        let quoted = plain(block);
        assert!(sources.iter().any(|source| source.contains(&quoted)), "no recipe has this:\n{block}");
    }
}

/// So does every file that it points to.
#[test]
fn what_the_document_points_to_is_there() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    let document = fs::read_to_string(docs.join("RECIPES.md")).unwrap();
    let links: Vec<&str> = document.split("](").skip(1).map(|rest| rest.split(')').next().unwrap()).collect();
    for link in links.iter().filter(|link| link.starts_with("../")) {
        assert!(docs.join(link).exists(), "{link}");
    }
    let headings = document.lines().filter_map(|line| line.strip_prefix('#')).map(|line| {
        let words = line.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
        words.chars().filter(|char| char.is_alphanumeric() || *char == '-').collect::<String>()
    });
    let headings: Vec<String> = headings.collect();
    for link in links.iter().filter_map(|link| link.strip_prefix('#')) {
        assert!(headings.iter().any(|heading| heading == link), "{link}");
    }
}

/// The lines without their indentation.
fn plain(text: &str) -> String {
    text.lines().flat_map(|line| [line.trim(), "\n"]).collect()
}
