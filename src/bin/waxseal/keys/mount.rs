//! Whether a file is mounted by itself: Kubernetes does that for a `subPath`, and then never updates it.

use std::path::Path;

/// Whether `path` is a mount point of this process.
#[cfg(target_os = "linux")]
pub(crate) fn is_mounted(path: &Path) -> bool {
    std::fs::read_to_string("/proc/self/mountinfo").is_ok_and(|mounts| names(&mounts, path))
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn is_mounted(_: &Path) -> bool {
    false
}

/// The fifth field of each line is the mount point, with spaces and the like in octal. See proc(5).
#[cfg(any(target_os = "linux", test))]
fn names(mounts: &str, path: &Path) -> bool {
    let points = mounts.lines().filter_map(|line| line.split(' ').nth(4));
    points.map(unescape).any(|point| point == path.as_os_str().as_encoded_bytes())
}

#[cfg(any(target_os = "linux", test))]
fn unescape(field: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = field.as_bytes();
    while let Some((&first, behind)) = rest.split_first() {
        let octal = behind.get(..3).filter(|_| first == b'\\').and_then(|digits| std::str::from_utf8(digits).ok());
        match octal.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &behind[3..];
            }
            None => {
                bytes.push(first);
                rest = behind;
            }
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
31 22 8:1 /pods/7/secret /etc/shop/ring.json ro,relatime - tmpfs tmpfs rw
32 22 8:1 /x /mnt/a\\040ring\\134.json rw - ext4 /dev/sda1 rw
short
";

    #[test]
    fn a_file_that_is_mounted_by_itself_is_found() {
        for (path, mounted) in [
            ("/etc/shop/ring.json", true),
            ("/mnt/a ring\\.json", true),
            ("/etc/shop", false),
            ("/etc/shop/ring.json/", true),
            ("/pods/7/secret", false),
            ("short", false),
        ] {
            let path: std::path::PathBuf = Path::new(path).components().collect();
            assert_eq!(names(MOUNTS, &path), mounted, "{}", path.display());
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_root_is_mounted_and_this_source_is_not() {
        assert!(is_mounted(Path::new("/")));
        assert!(!is_mounted(Path::new("/no/such/file")));
    }
}
