//! Standard input and output: bounded, exact, and closed under our feet.

use std::process::Stdio;

use crate::support::{NOW, Scratch, TOKEN};

fn open() -> String {
    format!("token open --purpose session --now {NOW}")
}

#[test]
fn one_newline_at_the_end_is_no_part_of_a_token() {
    let scratch = Scratch::with_ring();
    let expected = scratch.run(&format!("{} {TOKEN}", open())).ok();
    for input in [TOKEN.to_owned(), format!("{TOKEN}\n")] {
        assert_eq!(scratch.run_with(&open(), input.as_bytes()).ok(), expected);
        assert_eq!(scratch.run_with(&format!("{} -", open()), input.as_bytes()).ok(), expected);
    }
    for input in [format!("{TOKEN}\n\n"), format!("{TOKEN}\r\n"), format!("\n{TOKEN}"), format!("{TOKEN}\0")] {
        let line = scratch.run_with(&open(), input.as_bytes()).failed(1);
        assert!(line.contains("(text)") || line.contains("(forged)"), "{line}");
    }
}

#[test]
fn an_endless_token_is_read_to_a_bound() {
    let scratch = Scratch::with_ring();
    for verb in [open(), "token inspect".into()] {
        for (len, says) in [(4_001, "4001 characters"), (65_536, "65536 characters"), (65_537, "more than 65536 bytes")]
        {
            let line = scratch.run_with(&verb, &vec![b'A'; len]).failed(1);
            assert!(line.contains(says), "{line}");
        }
        let line = scratch.run_with(&verb, &vec![b'A'; 1 << 20]).failed(1);
        assert!(line.contains("more than 65536 bytes") && line.len() < 200, "{line}");
        let json = scratch.run_with(&format!("{verb} --json"), &vec![b'A'; 1 << 20]).failed(1);
        assert_eq!(serde_json::from_str::<serde_json::Value>(&json).unwrap()["code"], "length");
    }
}

#[test]
fn no_token_at_all() {
    let scratch = Scratch::with_ring();
    for verb in [open(), "token inspect".into()] {
        assert!(scratch.run_with(&verb, b"").failed(1).contains("standard input is empty"));
        assert!(scratch.run_with(&verb, b"\n").failed(1).contains("0 characters"));
        assert!(scratch.run_with(&verb, b"\xff\xfe\x00").failed(1).contains("(length)"));
        assert!(scratch.run_with(&verb, &[0xff; 60]).failed(1).contains("(text)"));
    }
}

#[test]
fn a_state_from_standard_input() {
    let scratch = Scratch::with_ring();
    let seal = format!("token seal --purpose session --now {NOW} --body -");
    let token = scratch.run_with(&seal, b"00ff 10\nAb\r\n\t").ok();
    let shown = scratch.run(&format!("{} --json {}", open(), token.trim())).json();
    assert_eq!(shown["body_hex"], "00ff10ab");
    scratch.run_with(&seal, b"\n").ok();
    for (input, code, says) in [
        (&b""[..], 2, "standard input is empty"),
        (b"0", 2, "odd number of digits, 1"),
        (b"0g", 2, "character 2"),
        (b"\xff\xff", 2, "character 1"),
        (&[b'0'; 65_538], 4, "more than 65536 bytes"),
        (&[b'0'; 8_000], 4, "too large"),
    ] {
        let line = scratch.run_with(&seal, input).failed(code);
        assert!(line.contains(says), "{line}");
    }
}

#[test]
fn the_token_alone_is_printed() {
    let scratch = Scratch::with_ring();
    for flags in ["", "--mode signed", "--prefix shop_", "--carrier cookie:id"] {
        let token = scratch.run(&format!("token seal --purpose session --body 00 --now {NOW} {flags}")).ok();
        let text = token.strip_suffix('\n').unwrap();
        assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)), "{text}");
        scratch.run_with(&format!("{} {flags}", open()), token.as_bytes()).ok();
    }
}

#[test]
fn a_reader_that_has_gone_away_is_no_error() {
    let scratch = Scratch::with_ring();
    for words in [&format!("keys list --now {NOW}"), &format!("{} {TOKEN}", open()), "--help", "keys init --help"] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = scratch.command(words.split_whitespace());
        let output = command.stdin(Stdio::null()).stdout(writer).stderr(Stdio::piped()).output().unwrap();
        assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0), "{words}: {output:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error() {
    let scratch = Scratch::with_ring();
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = scratch.command(["keys", "list", "--now", NOW]);
    let output = command.stdout(full).stderr(Stdio::piped()).output().unwrap();
    assert_eq!(output.status.code(), Some(4));
    assert!(String::from_utf8(output.stderr).unwrap().contains("cannot write to standard output"));
}
