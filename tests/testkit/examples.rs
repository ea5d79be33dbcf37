//! The tokens of FORMAT.md's worked examples 1 to 9, out of their fields.

use super::forge::Forge;
use super::key::Key;

/// Examples 1 to 9 by number.
pub(crate) fn all() -> Vec<(u32, Forge)> {
    let example = |draw: u64, edit: &dyn Fn(&mut Forge)| {
        let mut forge = Forge { r: [0xa5; 16], draw, ..Forge::new("", Key::example()) };
        edit(&mut forge);
        forge
    };
    let cookie = "cookie:__Host-Http-id";
    let first = example(7, &|_| {});
    vec![
        (1, first.clone()),
        (2, example(7, &|forge| forge.carrier = cookie.into())),
        (3, example(7, &|forge| forge.signed = true)),
        (
            4,
            example(8, &|forge| {
                forge.iat += 600;
                forge.continue_from(&first.bytes(), 600);
            }),
        ),
        (
            5,
            example(9, &|forge| {
                forge.carrier = cookie.into();
                forge.continue_from(&first.bytes(), 0);
            }),
        ),
        (6, example(10, &|forge| forge.pad(16))),
        (
            7,
            example(11, &|forge| {
                forge.context.clear();
                forge.pad(32);
            }),
        ),
        (8, example(12, &|forge| forge.context.clear())),
        (
            9,
            example(13, &|forge| {
                forge.context.clear();
                forge.signed = true;
            }),
        ),
    ]
}
