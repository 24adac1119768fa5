//! Names for one life of a stream after the other.

use std::sync::Arc;

/// The epoch after this one, in which the life is told by a number: `9f2c`, `9f2c.1`, `9f2c.2`, …
#[must_use]
pub fn next_epoch(epoch: &str) -> Arc<str> {
    let (name, life) = parts(epoch);
    match life.checked_add(1) {
        Some(next) => format!("{name}.{next}").into(),
        None => format!("{epoch}.1").into(),
    }
}

/// Whether one epoch is another or comes [after](next_epoch) it. Earlier versions put one number behind the other: for
/// them `9f2c.1.1` came after `9f2c.1`, and here it does as well.
#[must_use]
pub fn is_from_epoch_on(later: &str, epoch: &str) -> bool {
    let ((name, life), (earlier_name, earlier_life)) = (parts(later), parts(epoch));
    let is_of_the_same = name == earlier_name && life >= earlier_life;
    is_of_the_same || life > 0 && is_from_epoch_on(name, epoch)
}

/// The name that all lives have in common, and the number of this one; 0 is the life that has none.
fn parts(epoch: &str) -> (&str, u32) {
    let numbered = epoch.rsplit_once('.').and_then(|(name, life)| {
        let is_canonical = life.starts_with(|first| matches!(first, '1'..='9'));
        is_canonical.then(|| life.parse().ok()).flatten().map(|life| (name, life))
    });
    numbered.unwrap_or((epoch, 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_does_not_grow_with_each_life() {
        let mut epoch: Arc<str> = "9f2c-1".into();
        for life in 1..=1000 {
            let next = next_epoch(&epoch);
            assert_eq!(*next, format!("9f2c-1.{life}"));
            assert!(is_from_epoch_on(&next, &epoch) && !is_from_epoch_on(&epoch, &next));
            epoch = next;
        }
        assert!(is_from_epoch_on(&epoch, "9f2c-1") && is_from_epoch_on(&epoch, &epoch));
        assert!(!is_from_epoch_on(&epoch, "9f2c-2") && !is_from_epoch_on(&epoch, "9f2c-1.x"));
    }

    #[test]
    fn what_is_no_number_of_a_life_is_part_of_the_name() {
        for (epoch, next) in [
            ("", ".1"),
            ("a.b", "a.b.1"),
            ("a.0", "a.0.1"),
            ("a.01", "a.01.1"),
            ("a.+1", "a.+1.1"),
            ("a.1.1", "a.1.2"),
            ("a.4294967294", "a.4294967295"),
            ("a.4294967295", "a.4294967295.1"),
        ] {
            assert_eq!(*next_epoch(epoch), *next);
            assert!(is_from_epoch_on(next, epoch) && !is_from_epoch_on(epoch, next), "{next}");
        }
    }

    #[test]
    fn a_life_of_an_earlier_version_is_recognised() {
        for (later, epoch) in [
            ("E.1.1", "E"),
            ("E.1.1.1", "E"),
            ("E.2.1", "E.2"),
            ("E.2.1", "E.1"),
            ("E.4294967295.1", "E.7"),
        ] {
            assert!(is_from_epoch_on(later, epoch), "{later} {epoch}");
            assert!(!is_from_epoch_on(epoch, later), "{epoch} {later}");
        }
        for (other, epoch) in [("E.1.1", "E.2"), ("E1", "E"), ("E.+1", "E.1"), ("E.01", "E.1")] {
            assert!(!is_from_epoch_on(other, epoch), "{other} {epoch}");
        }
    }
}
