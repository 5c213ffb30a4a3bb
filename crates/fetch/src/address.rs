//! Which addresses belong to the public Internet.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Blocks of the IANA IPv4 special-purpose registry (RFC 6890 and its updates), and multicast, that
/// are not reached over the public Internet: first address, prefix length.
const IPV4_NOT_PUBLIC: [(Ipv4Addr, u32); 16] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),       // "this network", RFC 791
    (Ipv4Addr::new(10, 0, 0, 0), 8),      // private use, RFC 1918
    (Ipv4Addr::new(100, 64, 0, 0), 10),   // shared by carriers' NAT, RFC 6598
    (Ipv4Addr::new(127, 0, 0, 0), 8),     // loopback, RFC 1122
    (Ipv4Addr::new(169, 254, 0, 0), 16),  // link-local, cloud metadata, RFC 3927
    (Ipv4Addr::new(172, 16, 0, 0), 12),   // private use, RFC 1918
    (Ipv4Addr::new(192, 0, 0, 0), 24),    // IETF protocol assignments, RFC 6890
    (Ipv4Addr::new(192, 0, 2, 0), 24),    // documentation, RFC 5737
    (Ipv4Addr::new(192, 88, 99, 0), 24),  // 6to4 relay anycast, deprecated, RFC 7526
    (Ipv4Addr::new(192, 168, 0, 0), 16),  // private use, RFC 1918
    (Ipv4Addr::new(198, 18, 0, 0), 15),   // benchmarking, RFC 2544
    (Ipv4Addr::new(198, 51, 100, 0), 24), // documentation, RFC 5737
    (Ipv4Addr::new(203, 0, 113, 0), 24),  // documentation, RFC 5737
    (Ipv4Addr::new(224, 0, 0, 0), 4),     // multicast, RFC 5771
    (Ipv4Addr::new(240, 0, 0, 0), 4),     // reserved, RFC 1112
    (Ipv4Addr::BROADCAST, 32),            // limited broadcast, RFC 919
];

/// Blocks inside 2000::/3 (the only space that is global unicast, RFC 4291) that the IANA IPv6
/// special-purpose registry takes out of it.
const IPV6_NOT_PUBLIC: [(Ipv6Addr, u32); 3] = [
    // IETF protocol assignments, RFC 2928: Teredo (2001::/32), benchmarking (2001:2::/48), ORCHID.
    // None of them has web servers of its own, and a Teredo address embeds any IPv4 address.
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32), // documentation, RFC 3849
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),     // documentation, RFC 9637
];

/// 2000::/3, global unicast.
const GLOBAL_UNICAST: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);
/// ::ffff:0:0/96, IPv4-mapped, RFC 4291: the system connects to the IPv4 address inside.
const IPV4_MAPPED: (Ipv6Addr, u32) = (Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0), 96);
/// 64:ff9b::/96, NAT64, RFC 6052: a gateway connects to the IPv4 address inside.
const NAT64: (Ipv6Addr, u32) = (Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96);
/// 2002::/16, 6to4, RFC 3056: the IPv4 address follows the prefix.
const SIX_TO_FOUR: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16);

/// Whether `address` is reached over the public Internet.
///
/// `false` for private, loopback, link-local (cloud metadata services live there), carrier NAT,
/// multicast, unspecified, documentation, benchmarking, reserved and broadcast addresses, for
/// unique-local and site-local IPv6, and for every form of IPv6 address that embeds such an IPv4
/// address (mapped, NAT64, 6to4). Teredo, the deprecated IPv4-compatible form and everything outside
/// 2000::/3 are refused as a whole. By the IANA special-purpose registries of 2026.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    !IPV4_NOT_PUBLIC.iter().any(|(first, length)| {
        let shift = 32 - length;
        address.to_bits() >> shift == first.to_bits() >> shift
    })
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let bits = address.to_bits();
    if inside(address, IPV4_MAPPED) || inside(address, NAT64) {
        return is_public_v4(low_ipv4(bits));
    }
    if inside(address, SIX_TO_FOUR) {
        return is_public_v4(low_ipv4(bits >> 80));
    }
    inside(address, GLOBAL_UNICAST) && !IPV6_NOT_PUBLIC.iter().any(|block| inside(address, *block))
}

fn inside(address: Ipv6Addr, (first, length): (Ipv6Addr, u32)) -> bool {
    let shift = 128 - length;
    address.to_bits() >> shift == first.to_bits() >> shift
}

fn low_ipv4(bits: u128) -> Ipv4Addr {
    let [.., a, b, c, d] = bits.to_be_bytes();
    Ipv4Addr::new(a, b, c, d)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// First and last address of every block that is not public, and what it is.
    const NOT_PUBLIC: &[(&str, &str, &str)] = &[
        ("0.0.0.0", "0.255.255.255", "this network"),
        ("10.0.0.0", "10.255.255.255", "private"),
        ("100.64.0.0", "100.127.255.255", "carrier NAT"),
        ("127.0.0.0", "127.255.255.255", "loopback"),
        ("169.254.0.0", "169.254.255.255", "link-local"),
        ("169.254.169.254", "169.254.169.254", "cloud metadata"),
        ("172.16.0.0", "172.31.255.255", "private"),
        ("192.0.0.0", "192.0.0.255", "IETF protocol assignments"),
        ("192.0.2.0", "192.0.2.255", "documentation"),
        ("192.88.99.0", "192.88.99.255", "6to4 relay"),
        ("192.168.0.0", "192.168.255.255", "private"),
        ("198.18.0.0", "198.19.255.255", "benchmarking"),
        ("198.51.100.0", "198.51.100.255", "documentation"),
        ("203.0.113.0", "203.0.113.255", "documentation"),
        ("224.0.0.0", "239.255.255.255", "multicast"),
        ("240.0.0.0", "255.255.255.254", "reserved"),
        ("255.255.255.255", "255.255.255.255", "broadcast"),
        ("::", "::", "unspecified"),
        ("::1", "::1", "loopback"),
        ("::127.0.0.1", "::ffff", "IPv4-compatible"),
        ("::8.8.8.8", "::8.8.8.8", "IPv4-compatible"),
        (
            "::ffff:127.0.0.1",
            "::ffff:127.255.255.255",
            "mapped loopback",
        ),
        (
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "mapped private, link-local",
        ),
        (
            "::ffff:0:127.0.0.1",
            "::ffff:0:8.8.8.8",
            "IPv4-translated, RFC 2765",
        ),
        (
            "64:ff9b::127.0.0.1",
            "64:ff9b::192.168.1.1",
            "NAT64 of private",
        ),
        (
            "64:ff9b:1::",
            "64:ff9b:1:ffff:ffff:ffff:ffff:ffff",
            "local NAT64",
        ),
        ("100::", "100::ffff:ffff:ffff:ffff", "discard"),
        (
            "100:0:0:1::",
            "100:0:0:1:ffff:ffff:ffff:ffff",
            "dummy prefix",
        ),
        (
            "2001::",
            "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff",
            "IETF protocol assignments",
        ),
        (
            "2001:0:7f00:1::",
            "2001:0:ffff:ffff:ffff:ffff:ffff:ffff",
            "Teredo",
        ),
        (
            "2001:2::",
            "2001:2:0:ffff:ffff:ffff:ffff:ffff",
            "benchmarking",
        ),
        (
            "2001:10::",
            "2001:2f:ffff:ffff:ffff:ffff:ffff:ffff",
            "ORCHID",
        ),
        (
            "2001:db8::",
            "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
            "documentation",
        ),
        (
            "2002:7f00:1::",
            "2002:7f00:1:ffff:ffff:ffff:ffff:ffff",
            "6to4 of loopback",
        ),
        (
            "2002:a00::",
            "2002:aff:ffff:ffff:ffff:ffff:ffff:ffff",
            "6to4 of private",
        ),
        ("2002:c0a8:101::1", "2002:c0a8:101::1", "6to4 of private"),
        (
            "3fff::",
            "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff",
            "documentation",
        ),
        (
            "4000::",
            "5fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
            "unassigned, segment routing",
        ),
        (
            "fc00::",
            "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
            "unique local",
        ),
        (
            "fe80::",
            "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
            "link-local",
        ),
        (
            "fec0::",
            "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
            "site-local",
        ),
        (
            "ff00::",
            "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
            "multicast",
        ),
    ];

    /// Public addresses, most of them just outside a block above.
    const PUBLIC: &[&str] = &[
        "1.0.0.0",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.0",
        "169.253.255.255",
        "169.255.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "191.255.255.255",
        "192.0.1.0",
        "192.0.3.0",
        "192.88.98.255",
        "192.88.100.0",
        "192.167.255.255",
        "192.169.0.0",
        "198.17.255.255",
        "198.20.0.0",
        "198.51.99.255",
        "198.51.101.0",
        "203.0.112.255",
        "203.0.114.0",
        "223.255.255.255",
        "8.8.8.8",
        "::ffff:8.8.8.8",
        "64:ff9b::8.8.8.8",
        "2002:808:808::1",
        "2000::",
        "2001:200::",
        "2001:4860:4860::8888",
        "2001:db7:ffff::",
        "2001:db9::",
        "2606:4700::1111",
        "2a00::",
        "3ffe:ffff::",
        "3fff:1000::",
        "2620:4f:8000::",
    ];

    fn ip(text: &str) -> IpAddr {
        text.parse()
            .unwrap_or_else(|_| panic!("{text} is no address"))
    }

    #[test]
    fn every_row_that_is_not_public() {
        for (first, last, what) in NOT_PUBLIC {
            assert!(!is_public(ip(first)), "{first} ({what})");
            assert!(!is_public(ip(last)), "{last} ({what})");
        }
    }

    #[test]
    fn every_row_that_is_public() {
        for address in PUBLIC {
            assert!(is_public(ip(address)), "{address}");
        }
    }

    /// A form that embeds an IPv4 address is public only if that address is.
    #[test]
    fn embedding_never_makes_an_address_public() {
        for (first, last, what) in NOT_PUBLIC {
            for text in [first, last] {
                let Ok(v4) = text.parse::<Ipv4Addr>() else {
                    continue;
                };
                let bits = u128::from(v4.to_bits());
                let forms = [
                    bits,
                    (0xffff << 32) | bits,
                    (0x0064_ff9b << 96) | bits,
                    (0x2002 << 112) | (bits << 80) | 1,
                    (0x2001_0000 << 96) | (bits << 64),
                    (0x2001_0000 << 96) | (!bits & 0xffff_ffff),
                ];
                for form in forms {
                    let address = Ipv6Addr::from_bits(form);
                    assert!(!is_public(address.into()), "{address} of {v4} ({what})");
                }
            }
        }
    }
}
