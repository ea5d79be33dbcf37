//! The primitives that the floors are made of, as the library uses them: the AEAD and the base64url engine of this build.

use std::sync::LazyLock;

use base64::engine::general_purpose::NO_PAD;

#[cfg(feature = "ring")]
pub(crate) use with_ring::Aead;
#[cfg(not(feature = "ring"))]
pub(crate) use with_rustcrypto::Aead;

pub(crate) const HEADER: [u8; 20] = [0x5a; 20];

/// HChaCha20 before ring's ChaCha20-Poly1305.
#[cfg(feature = "ring")]
mod with_ring {
    use chacha20::R20;
    use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, Tag, UnboundKey};

    use super::HEADER;

    pub(crate) struct Aead([u8; 32]);

    impl Aead {
        pub(crate) fn new(key: [u8; 32]) -> Self {
            Self(key)
        }

        pub(crate) fn seal(&self, buffer: &mut [u8]) -> [u8; 16] {
            let (key, nonce) = self.message();
            let tag = key.seal_in_place_separate_tag(nonce, Aad::from(&HEADER), buffer).expect("short enough");
            tag.as_ref().try_into().expect("a tag is 16 bytes")
        }

        pub(crate) fn open(&self, buffer: &mut [u8], tag: &[u8; 16]) -> bool {
            let (key, nonce) = self.message();
            key.open_in_place_separate_tag(nonce, Aad::from(&HEADER), Tag::from(*tag), buffer, 0..).is_ok()
        }

        fn message(&self) -> (LessSafeKey, Nonce) {
            let subkey = chacha20::hchacha::<R20>((&self.0).into(), (&[0x5a; 16]).into());
            let key = UnboundKey::new(&CHACHA20_POLY1305, &subkey).expect("a key is 32 bytes");
            (LessSafeKey::new(key), Nonce::assume_unique_for_key([0x5a; 12]))
        }
    }
}

/// XChaCha20-Poly1305 as the crate has it.
#[cfg(not(feature = "ring"))]
mod with_rustcrypto {
    use chacha20poly1305::aead::inout::InOutBuf;
    use chacha20poly1305::{AeadInOut, KeyInit, XChaCha20Poly1305};

    use super::HEADER;

    pub(crate) struct Aead(XChaCha20Poly1305);

    impl Aead {
        pub(crate) fn new(key: [u8; 32]) -> Self {
            Self(XChaCha20Poly1305::new(&key.into()))
        }

        pub(crate) fn seal(&self, buffer: &mut [u8]) -> [u8; 16] {
            let sealed = self.0.encrypt_inout_detached(&NONCE.into(), &HEADER, InOutBuf::from(buffer));
            sealed.expect("short enough").into()
        }

        pub(crate) fn open(&self, buffer: &mut [u8], tag: &[u8; 16]) -> bool {
            self.0.decrypt_inout_detached(&NONCE.into(), &HEADER, InOutBuf::from(buffer), tag.into()).is_ok()
        }
    }

    const NONCE: [u8; 24] = [0x5a; 24];
}

#[cfg(any(target_arch = "aarch64", target_arch = "x86_64"))]
pub(crate) static BASE64URL: LazyLock<base64::engine::Simd> = LazyLock::new(|| base64::engine::Simd::url_safe(NO_PAD));

#[cfg(not(any(target_arch = "aarch64", target_arch = "x86_64")))]
pub(crate) static BASE64URL: LazyLock<base64::engine::GeneralPurpose> =
    LazyLock::new(|| base64::engine::GeneralPurpose::new(&base64::alphabet::URL_SAFE, NO_PAD));
