//! How a file is read.

/// How strictly a file is read, and how much of a header is held.
#[derive(Debug, Clone)]
pub struct ReadOptions {
    /// Whether a file must be as the standard has it: WARC 1.0 or 1.1, CR LF at each end of line, the
    /// form of WARC-Date, WARC-Record-ID and WARC-Target-URI, no field twice, exactly two line ends
    /// behind the content, one record a member. Else a file is read that differs in these.
    pub strict: bool,
    /// Whether the content is compared with WARC-Block-Digest and WARC-Payload-Digest.
    pub verify_digests: bool,
    /// Whether a gzip member is taken to be as long as its header says (`sl`, a field of the WARC draft
    /// 0.9, which [`crate::Compression::compress`] writes), so that what nobody asks for is not
    /// decompressed. Damage to it is then not found: this is for files that are known to be whole.
    pub trusts_lengths: bool,
    /// The longest line of a header, in bytes.
    pub max_line_bytes: usize,
    /// The longest header, in bytes.
    pub max_head_bytes: usize,
    /// The most fields of a header.
    pub max_fields: usize,
}

impl Default for ReadOptions {
    /// Not strict, no digests, no trust; 64 KiB a line, 1 MiB and 1,024 fields a header.
    fn default() -> ReadOptions {
        ReadOptions {
            strict: false,
            verify_digests: false,
            trusts_lengths: false,
            max_line_bytes: 64 * 1024,
            max_head_bytes: 1024 * 1024,
            max_fields: 1024,
        }
    }
}

impl ReadOptions {
    /// Strict, and with digests: what a validator wants.
    pub fn strict() -> ReadOptions {
        ReadOptions {
            strict: true,
            verify_digests: true,
            ..ReadOptions::default()
        }
    }
}
