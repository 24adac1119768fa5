//! Names for one life of a stream after the other.

use std::sync::Arc;

/// The epoch after this one, in which the life is told by a number: `9f2c`, `9f2c.1`, `9f2c.2`, …
#[must_use]
pub fn next_epoch(epoch: &str) -> Arc<str> {
    let (name, life) = parts(epoch);
    format!("{name}.{}", life + 1).into()
}

/// Whether one epoch is another or comes [after](next_epoch) it.
#[must_use]
pub fn is_from_epoch_on(later: &str, epoch: &str) -> bool {
    let ((name, life), (earlier_name, earlier_life)) = (parts(later), parts(epoch));
    name == earlier_name && life >= earlier_life
}

/// The name that all lives have in common, and the number of this one.
fn parts(epoch: &str) -> (&str, u32) {
    let numbered = epoch.rsplit_once('.').and_then(|(name, life)| {
        let life = life.parse().ok().filter(|life| (1..u32::MAX).contains(life))?;
        Some((name, life))
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
            ("a.1.1", "a.1.2"),
            ("a.4294967294", "a.4294967295"),
            ("a.4294967295", "a.4294967295.1"),
        ] {
            assert_eq!(*next_epoch(epoch), *next);
        }
    }
}
