//! A request through the layer: one allocation if nobody asks for the session, and a copy of the token if somebody does.

use std::cell::Cell;

use allocation_counter::{AllocationInfo, measure};
use http::{Extensions, Request, Response};
use tower_layer::Layer;
use waxseal::{CurrentSession, SessionLayer};

use crate::httpkit::shop::{COOKIE, LIFE, Servers, Shop, shop};
use crate::httpkit::{Handler, request, send};
use crate::testkit::forge::Forge;
use crate::testkit::key::Key;
use crate::testkit::ring::role;

/// What `act` allocates, given two of what `make` makes: a thread's first look at a ring sets up its place there.
fn second<A>(make: impl Fn() -> A, act: impl Fn(A)) -> AllocationInfo {
    act(make());
    let prepared = make();
    measure(|| act(prepared))
}

#[test]
fn a_request_that_nobody_asks_for_its_session_costs_one_allocation() {
    let value_in_extensions =
        second(Extensions::new, |mut extensions| assert!(extensions.insert(7_u32).is_none())).count_total;
    let layer = SessionLayer::new(&Servers::new().sealer);
    let service = layer.layer(Handler(|_: Request<()>| Response::new(())));
    let token = Servers::new().cookie(COOKIE).start(&shop("ada")).unwrap();
    let cookie = format!("{COOKIE}={}", token.as_str());
    // Every size of a head, so that no table of fields has to grow for it; with credentials and without.
    for fields in 0..60 {
        let names: Vec<_> = (0..fields).map(|field| format!("x-{field}")).collect();
        for own in
            [&[][..], &[("cookie", &*cookie)], &[("cookie", &cookie), ("authorization", "Bearer x"), ("dnt", "1")]]
        {
            let make = || request("POST", "/", names.iter().map(|name| (&**name, "x")).chain(own.iter().copied()));
            let spent = second(make, |request| drop(send(service.clone(), request)));
            assert_eq!(spent.count_total, value_in_extensions + 1, "{fields} fields and {}", own.len());
        }
    }
}

/// What a handler allocates that asks for the session, and does nothing with it.
fn asking(layer: &SessionLayer<Shop>, fields: &[(&str, &str)]) -> AllocationInfo {
    let spent = Cell::new(None);
    let service = layer.layer(Handler(|request: Request<()>| {
        let asked = measure(|| drop(CurrentSession::<Shop>::of(&request).unwrap().get()));
        spent.set(Some(asked));
        Response::new(())
    }));
    for _ in 0..2 {
        drop(send(service.clone(), request("GET", "/", fields.iter().copied())));
    }
    spent.take().unwrap()
}

#[test]
fn a_refused_token_costs_its_copy() {
    let servers = Servers::new();
    let layer = SessionLayer::new(&servers.sealer);
    let forge = |carrier: &str, edit: &dyn Fn(&mut Forge)| {
        let mut forge = Forge { carrier: carrier.into(), context: vec![], ..Forge::new("", role::active()) };
        edit(&mut forge);
        forge.text()
    };
    let edits: [&dyn Fn(&mut Forge); 5] = [
        &|forge| (forge.tag, forge.body) = (Some(vec![0; 16]), vec![7; 2_000]),
        &|forge| forge.key = Key::test(99),
        &|forge| forge.iat -= LIFE as u32,
        &|forge| forge.head = vec![0x82, 0],
        &|forge| forge.signed = true,
    ];
    for edit in edits {
        let cookie = format!("{COOKIE}={}", forge(&format!("cookie:{COOKIE}"), edit));
        let bearer = format!("Bearer {}", forge("header", edit));
        for field in [("cookie", cookie), ("authorization", bearer)] {
            let spent = asking(&layer, &[(field.0, &field.1)]);
            assert_eq!(spent.count_total, 1, "{field:?}");
            assert!(spent.bytes_total as usize <= field.1.len(), "{field:?}");
        }
    }
}

#[test]
fn what_is_no_token_costs_nothing() {
    let layer = SessionLayer::new(&Servers::new().sealer);
    let much = format!("{COOKIE}=EQ; x={}", "y".repeat(400_000));
    for fields in [
        &[][..],
        &[("cookie", "a=1; b=2")],
        &[("cookie", &*much)],
        &[("cookie", "__Host-Http-id=x; __Host-Http-id=y")],
        &[("authorization", "Basic x")],
        &[("authorization", "Bearer")],
        &[("authorization", "Bearer EQ"), ("authorization", "Bearer EQ")],
    ] {
        assert_eq!(asking(&layer, fields).count_total, 0, "{}", fields.len());
    }
}

/// A copy is made before anything is judged but its length.
#[test]
fn a_client_does_not_choose_how_much_is_copied() {
    let layer = SessionLayer::new(&Servers::new().sealer);
    let bearer = format!("Bearer EQ{}", "A".repeat(4 << 20));
    let cookie = format!("{COOKIE}=EQ{}", "A".repeat(16_000));
    for field in [("authorization", &*bearer), ("cookie", &*cookie)] {
        let spent = asking(&layer, &[field]);
        assert!(spent.count_total == 1 && spent.bytes_total < 10_000, "{spent:?}");
    }
}

#[test]
fn a_session_costs_its_own_fields_a_copy_of_its_token_and_a_place() {
    let servers = Servers::new();
    let layer = SessionLayer::new(&servers.sealer);
    let body = postcard::to_stdvec(&shop("ada")).unwrap();
    let own = second(|| (), |()| assert!(postcard::from_bytes::<Shop>(&body).is_ok())).count_total;
    let bearer = format!("Bearer {}", servers.sealer.start(&shop("ada")).unwrap().as_str());
    assert_eq!(asking(&layer, &[("authorization", &bearer)]).count_total, own + 2);
}
