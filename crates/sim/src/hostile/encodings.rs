//! Content codings: right, wrong, cut, and bombs.

use std::io::Write as _;
use std::sync::OnceLock;

use bytes::Bytes;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use flate2::{Compress, Compression, Crc, FlushCompress};

use super::behaviour::{Behaviour, Family, OK};
use super::reply::{Asked, Reply, framed};

const PAGE: &str = "<!doctype html><title>packed</title><p><a href=/ok>x</a>";
/// Zeros in a bomb, in MiB.
const BOMB_MIB: u32 = 512;

pub(super) const FAMILY: Family = Family {
    name: "Content codings",
    behaviours: &[
        page("/gzip-ok", "gzip", |_| coded("gzip", gzip(PAGE.as_bytes()))),
        page("/gzip-multi", "two gzip members", |_| {
            let (first, second) = PAGE.split_at(20);
            coded(
                "gzip",
                [gzip(first.as_bytes()), gzip(second.as_bytes())].concat(),
            )
        })
        .note("all members are read"),
        Behaviour::fault(
            "/gzip-trunc",
            "gzip cut in half",
            "truncated",
            "in the middle of its gzip data",
            |_| {
                let mut bytes = gzip(PAGE.as_bytes());
                bytes.truncate(bytes.len() / 2);
                coded("gzip", bytes)
            },
        )
        .status(200),
        Behaviour::fault(
            "/gzip-not",
            "says gzip, is plain",
            "bad_encoding",
            "not valid gzip",
            |_| coded("gzip", "<a href=/evil>x</a>".into()),
        )
        .status(200),
        page("/gzip-trail", "gzip and garbage after it", |_| {
            coded(
                "gzip",
                [gzip(PAGE.as_bytes()), b"garbage".to_vec()].concat(),
            )
        })
        .note("what follows the last member is passed over, as browsers do"),
        page("/deflate-raw", "raw deflate", |_| {
            let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
            let _ = encoder.write_all(PAGE.as_bytes());
            coded("deflate", encoder.finish().unwrap_or_default())
        }),
        page("/deflate-zlib", "deflate in its zlib wrapping", |_| {
            let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
            let _ = encoder.write_all(PAGE.as_bytes());
            coded("deflate", encoder.finish().unwrap_or_default())
        }),
        Behaviour::fault(
            "/enc-unknown",
            "Content-Encoding: foo",
            "bad_encoding",
            "foo is not supported",
            |_| coded("foo", "<a href=/evil>x</a>".into()),
        )
        .status(200),
        page("/enc-twice", "gzip, gzip", |_| {
            coded("gzip, gzip", gzip(&gzip(PAGE.as_bytes())))
        })
        .note("up to three codings on top of one another"),
        bomb_at("/bomb", "gzip bomb: 512 MiB of zeros in 0.5 MiB", |_| {
            coded("gzip", bomb().to_vec())
        }),
        bomb_at("/bomb2", "gzip of that bomb", |_| {
            coded("gzip, gzip", nested_bomb().to_vec())
        }),
    ],
};

const fn page(path: &'static str, what: &'static str, reply: fn(&Asked<'_>) -> Reply) -> Behaviour {
    Behaviour::answer(path, what, "fetched", 200, reply).leads(OK)
}

const fn bomb_at(
    path: &'static str,
    what: &'static str,
    reply: fn(&Asked<'_>) -> Reply,
) -> Behaviour {
    Behaviour::fault(path, what, "too_large", "decoded body is larger", reply)
        .status(200)
        .note("decoding stops at --max-body-size")
}

fn coded(coding: &str, body: Vec<u8>) -> Reply {
    framed(
        &format!("200 OK\nContent-Type: text/html\nContent-Encoding: {coding}"),
        body,
    )
}

pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    // Writing to memory cannot fail.
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default()
}

/// A mebibyte of zeros flushed to a byte boundary can stand again and again in one stream: so half a
/// gibibyte costs no more than one mebibyte to make.
fn bomb() -> &'static Bytes {
    static BOMB: OnceLock<Bytes> = OnceLock::new();
    BOMB.get_or_init(|| {
        let zeros = vec![0; 1 << 20];
        let mut block = Vec::with_capacity(16 * 1024);
        let mut last = Vec::with_capacity(64);
        let mut packer = Compress::new(Compression::best(), false);
        let _ = packer.compress_vec(&zeros, &mut block, FlushCompress::Full);
        let _ = packer.compress_vec(&[], &mut last, FlushCompress::Finish);
        let mut one = Crc::new();
        one.update(&zeros);
        let mut all = Crc::new();
        let mut bytes = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
        for _ in 0..BOMB_MIB {
            bytes.extend_from_slice(&block);
            all.combine(&one);
        }
        bytes.extend_from_slice(&last);
        bytes.extend_from_slice(&all.sum().to_le_bytes());
        bytes.extend_from_slice(&(BOMB_MIB << 20).to_le_bytes());
        bytes.into()
    })
}

fn nested_bomb() -> &'static Bytes {
    static NESTED: OnceLock<Bytes> = OnceLock::new();
    NESTED.get_or_init(|| gzip(bomb()).into())
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn the_bomb_is_gzip_of_zeros() {
        let mut reader = flate2::read::GzDecoder::new(&bomb()[..]);
        let mut piece = vec![1; 1 << 20];
        let mut mebibytes = 0;
        while reader.read_exact(&mut piece).is_ok() {
            assert!(piece.iter().all(|byte| *byte == 0));
            mebibytes += 1;
        }
        assert_eq!(mebibytes, BOMB_MIB);
        assert_eq!(
            reader.read(&mut piece).unwrap(),
            0,
            "the check sum is right"
        );
        assert!(bomb().len() < 1 << 20 && nested_bomb().len() < 64 * 1024);
    }
}
