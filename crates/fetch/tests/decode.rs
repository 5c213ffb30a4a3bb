//! Content codings: each one, stacked, cut off, damaged, and as a bomb.

#[cfg(test)]
mod tests {
    use std::io::Write;

    use bytes::Bytes;
    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
    use nephila_fetch::{DecodeErrorKind, decode_body};
    use proptest::prelude::*;

    const NO_LIMIT: u64 = u64::MAX;

    fn gzip(data: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    fn zlib(data: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    fn deflate(data: &[u8]) -> Vec<u8> {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    fn brotli(data: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        brotli::CompressorWriter::new(&mut out, 4096, 5, 22)
            .write_all(data)
            .unwrap();
        out
    }

    fn zstd(data: &[u8]) -> Vec<u8> {
        zstd::stream::encode_all(data, 3).unwrap()
    }

    type Encode = fn(&[u8]) -> Vec<u8>;
    const CODINGS: [(&str, Encode); 5] = [
        ("gzip", gzip),
        ("deflate", zlib),
        ("deflate", deflate),
        ("br", brotli),
        ("zstd", zstd),
    ];

    fn page() -> Vec<u8> {
        let mut state = 7_u32;
        let words = std::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            format!("<p>word {} of a page</p>\n", state >> 20)
        });
        words.take(2000).collect::<String>().into_bytes()
    }

    fn decode(coding: &str, body: &[u8], max: u64) -> Result<Bytes, DecodeErrorKind> {
        decode_body(Some(coding), Bytes::copy_from_slice(body), max).map_err(|error| error.kind())
    }

    #[test]
    fn each_coding_comes_back() {
        let page = page();
        for (name, encode) in CODINGS {
            let encoded = encode(&page);
            assert!(encoded.len() < page.len(), "{name}");
            assert_eq!(decode(name, &encoded, NO_LIMIT).unwrap(), page, "{name}");
            assert_eq!(
                decode(&name.to_uppercase(), &encoded, page.len() as u64).unwrap(),
                page
            );
            assert_eq!(
                decode(name, &encode(b""), NO_LIMIT).unwrap(),
                b"".as_slice(),
                "{name}"
            );
            assert_eq!(
                decode(name, b"", NO_LIMIT).unwrap(),
                b"".as_slice(),
                "{name}"
            );
        }
        assert_eq!(decode_body(None, Bytes::from_static(b"x"), 1).unwrap(), "x");
        assert_eq!(decode(" identity , ", b"x", 1).unwrap(), "x");
        assert_eq!(decode("x-gzip", &gzip(b"x"), 1).unwrap(), "x");
    }

    #[test]
    fn codings_are_undone_in_reverse_order() {
        let page = page();
        let body = zstd(&brotli(&gzip(&page)));
        assert_eq!(decode("gzip, br,zstd", &body, NO_LIMIT).unwrap(), page);
        assert_eq!(
            decode("zstd, br, gzip", &body, NO_LIMIT),
            Err(DecodeErrorKind::Corrupt)
        );
        assert_eq!(
            decode("gzip, gzip, gzip, gzip", &body, NO_LIMIT),
            Err(DecodeErrorKind::Unsupported)
        );
    }

    #[test]
    fn gzip_members_follow_one_another() {
        let mut body = gzip(b"one ");
        body.extend(gzip(b"two"));
        assert_eq!(decode("gzip", &body, NO_LIMIT).unwrap(), "one two");
        assert_eq!(decode("gzip", &body, 5), Err(DecodeErrorKind::TooLarge));
        let cut = body.len() - 3;
        assert_eq!(
            decode("gzip", &body[..cut], NO_LIMIT),
            Err(DecodeErrorKind::Truncated)
        );
        body.extend([0; 100]);
        assert_eq!(
            decode("gzip", &body, NO_LIMIT).unwrap(),
            "one two",
            "padding is passed over"
        );
    }

    /// What is longer than a megabyte is counted before it is kept.
    #[test]
    fn large_bodies_come_back_and_end_at_the_limit() {
        let page = page().repeat(50);
        let length = page.len() as u64;
        assert!(length > 2 << 20, "{length}");
        for (name, encode) in CODINGS {
            let encoded = Bytes::from(encode(&page));
            assert!(decode(name, &encoded, NO_LIMIT).unwrap() == page, "{name}");
            assert!(decode(name, &encoded, length).unwrap() == page, "{name}");
            let error = decode_body(Some(name), encoded.clone(), length - 1).unwrap_err();
            assert_eq!(error.kind(), DecodeErrorKind::TooLarge, "{name}");
            assert!(error.into_partial() == page[..1 << 20], "{name}");
            let cut = encoded.slice(..encoded.len() - 100);
            let error = decode_body(Some(name), cut, NO_LIMIT).unwrap_err();
            assert_eq!(error.kind(), DecodeErrorKind::Truncated, "{name}");
            let partial = error.into_partial();
            assert!(partial.len() <= 1 << 20, "{name}: {}", partial.len());
            assert!(page.starts_with(&partial), "{name}");
        }
    }

    #[test]
    fn the_limit_is_exact() {
        let page = page();
        let length = page.len() as u64;
        for (name, encode) in CODINGS {
            let encoded = encode(&page);
            assert_eq!(decode(name, &encoded, length).unwrap(), page, "{name}");
            assert_eq!(
                decode(name, &encoded, length - 1),
                Err(DecodeErrorKind::TooLarge),
                "{name}"
            );
            assert_eq!(
                decode(name, &encoded, 0),
                Err(DecodeErrorKind::TooLarge),
                "{name}"
            );
            let error = decode_body(Some(name), encoded.into(), 1000).unwrap_err();
            assert_eq!(error.into_partial(), page[..1000], "{name}");
        }
        assert_eq!(
            decode("identity", b"abc", 2),
            Err(DecodeErrorKind::TooLarge)
        );
    }

    /// A bomb is left at the limit: a stacked one would otherwise be far larger.
    #[test]
    fn bombs_are_left_at_the_limit() {
        let zeros = vec![0; 10_000_000];
        for (name, encode) in CODINGS {
            let bomb = encode(&zeros);
            assert!(bomb.len() < 100_000, "{name}: {}", bomb.len());
            assert_eq!(
                decode(name, &bomb, 100_000),
                Err(DecodeErrorKind::TooLarge),
                "{name}"
            );
        }
        let stacked = gzip(&gzip(&zeros));
        assert_eq!(
            decode("gzip, gzip", &stacked, 100_000),
            Err(DecodeErrorKind::TooLarge)
        );
    }

    #[test]
    fn what_is_cut_off_is_truncated_wherever_it_is_cut() {
        let page = page();
        for (name, encode) in CODINGS {
            let encoded = encode(&page);
            for cut in (1..encoded.len()).step_by(97) {
                let error = decode_body(
                    Some(name),
                    Bytes::copy_from_slice(&encoded[..cut]),
                    NO_LIMIT,
                )
                .expect_err(name);
                assert_eq!(
                    error.kind(),
                    DecodeErrorKind::Truncated,
                    "{name} cut at {cut}"
                );
                assert!(
                    page.starts_with(&error.into_partial()),
                    "{name} cut at {cut}"
                );
            }
        }
    }

    #[test]
    fn what_is_not_the_coding_is_corrupt() {
        for name in ["gzip", "deflate", "br", "zstd"] {
            let result = decode(name, b"<!DOCTYPE html><title>not at all</title>", NO_LIMIT);
            assert_eq!(result, Err(DecodeErrorKind::Corrupt), "{name}");
        }
        let mut damaged = gzip(&page());
        let at = damaged.len() - 6;
        damaged[at] ^= 1;
        assert_eq!(
            decode("gzip", &damaged, NO_LIMIT),
            Err(DecodeErrorKind::Corrupt),
            "checksum"
        );
    }

    #[test]
    fn unknown_codings_are_named() {
        let error =
            decode_body(Some("gzip, compress\u{1b}"), Bytes::from_static(b"x"), 9).unwrap_err();
        assert_eq!(error.kind(), DecodeErrorKind::Unsupported);
        assert_eq!(
            error.to_string(),
            "content coding compress\\u{1b} is not supported"
        );
    }

    #[test]
    fn a_zstd_window_beyond_the_webs_is_refused() {
        let data = vec![1; 1000];
        let mut encoder = zstd::stream::Encoder::new(Vec::new(), 3).unwrap();
        encoder.window_log(27).unwrap();
        encoder.write_all(&data).unwrap();
        let large_window = encoder.finish().unwrap();
        assert_eq!(
            decode("zstd", &large_window, NO_LIMIT),
            Err(DecodeErrorKind::Corrupt)
        );
    }

    #[test]
    fn a_brotli_window_beyond_the_webs_is_refused() {
        let encode = |large_window, lgwin| {
            let params = brotli::enc::BrotliEncoderParams {
                large_window,
                lgwin,
                quality: 5,
                ..Default::default()
            };
            let mut out = Vec::new();
            brotli::BrotliCompress(&mut page().as_slice(), &mut out, &params).unwrap();
            out
        };
        let widest = encode(false, 24);
        assert_eq!(decode("br", &widest, NO_LIMIT).unwrap(), page());
        let large_window = encode(true, 28);
        assert_eq!(
            decode("br", &large_window, NO_LIMIT),
            Err(DecodeErrorKind::Corrupt)
        );
    }

    proptest! {
        /// Whatever comes, decoding ends, does not panic and gives no more than the limit.
        #[test]
        fn any_bytes_are_survived(
            coding in prop::sample::select(vec!["gzip", "deflate", "br", "zstd", "gzip, br", "x"]),
            body in prop::collection::vec(any::<u8>(), 0..300),
            max in 0_u64..100,
        ) {
            match decode_body(Some(coding), body.into(), max) {
                Ok(decoded) => prop_assert!(decoded.len() as u64 <= max),
                Err(error) => prop_assert!(error.into_partial().len() as u64 <= max),
            }
        }

        /// Damage anywhere in good data: decoded, or an error, within the limit.
        #[test]
        fn damage_is_survived(
            which in 0..CODINGS.len(),
            at in any::<prop::sample::Index>(),
            flip in 1_u8..,
            cut in any::<prop::sample::Index>(),
        ) {
            let (name, encode) = CODINGS[which];
            let mut body = encode(&page()[..3000]);
            let at = at.index(body.len());
            body[at] ^= flip;
            body.truncate(cut.index(body.len()) + 1);
            match decode_body(Some(name), body.into(), 2500) {
                Ok(decoded) => prop_assert!(decoded.len() <= 2500),
                Err(error) => prop_assert!(error.into_partial().len() <= 2500),
            }
        }

        #[test]
        fn any_data_comes_back(
            which in 0..CODINGS.len(),
            data in prop::collection::vec(any::<u8>(), 0..5000),
        ) {
            let (name, encode) = CODINGS[which];
            let decoded = decode_body(Some(name), encode(&data).into(), data.len() as u64).unwrap();
            prop_assert_eq!(decoded, data);
        }
    }
}
