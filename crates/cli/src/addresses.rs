//! How many connections each address has.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Counts the connections of each address, or of each network of IPv6 that one user has.
pub(crate) struct Addresses {
    each_max: usize,
    taken: Mutex<HashMap<IpAddr, usize>>,
}

/// One connection of an address, for as long as this is held.
pub(crate) struct AddressPlace {
    addresses: Arc<Addresses>,
    counted: IpAddr,
}

/// An address has as many connections as it may have.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooMany;

impl Addresses {
    pub(crate) fn new(each_max: usize) -> Arc<Addresses> {
        Arc::new(Addresses { each_max, taken: Mutex::default() })
    }

    /// One more connection of this address.
    pub(crate) fn take(self: &Arc<Self>, address: IpAddr) -> Result<Option<AddressPlace>, TooMany> {
        let Some(counted) = counted(address) else { return Ok(None) };
        let mut all = self.lock();
        let taken = all.get(&counted).copied().unwrap_or(0);
        if taken >= self.each_max {
            return Err(TooMany);
        }
        all.insert(counted, taken + 1);
        Ok(Some(AddressPlace { addresses: self.clone(), counted }))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for AddressPlace {
    fn drop(&mut self) {
        let mut all = self.addresses.lock();
        match all.get_mut(&self.counted) {
            Some(taken) if *taken > 1 => *taken -= 1,
            _ => drop(all.remove(&self.counted)),
        }
    }
}

/// What is counted in place of an address: who has one of IPv6 has all of its network of 64 bits. This machine's own are
/// not counted.
pub(crate) fn counted(address: IpAddr) -> Option<IpAddr> {
    match address.to_canonical() {
        address if address.is_loopback() => None,
        IpAddr::V6(address) => {
            Some(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into())
        }
        v4 => Some(v4),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_address_has_its_places_and_gives_them_back() {
        let addresses = Addresses::new(2);
        let take = |address: &str| addresses.take(address.parse().unwrap()).map(Option::unwrap);
        let _one = take("192.0.2.1").ok().unwrap();
        let two = take("::ffff:192.0.2.1").ok().unwrap();
        assert_eq!(take("192.0.2.1").err(), Some(TooMany));
        assert!(take("192.0.2.2").is_ok(), "another address");
        drop(two);
        assert!(take("192.0.2.1").is_ok());
        assert_eq!(addresses.lock().len(), 1, "who has none is forgotten");
    }

    #[test]
    fn addresses_of_ipv6_are_counted_by_their_network() {
        let addresses = Addresses::new(1);
        let take = |address: &str| addresses.take(address.parse().unwrap());
        let _held = take("2001:db8:1:2::1").ok().unwrap();
        assert!(take("2001:db8:1:2:ffff::9").is_err());
        assert!(take("2001:db8:1:3::1").is_ok());
    }

    #[test]
    fn this_machine_is_not_counted() {
        let addresses = Addresses::new(0);
        for here in ["127.0.0.1", "::1", "::ffff:127.0.0.1"] {
            assert!(matches!(addresses.take(here.parse().unwrap()), Ok(None)), "{here}");
        }
        assert!(addresses.take("192.0.2.1".parse().unwrap()).is_err());
    }
}
