//! WARC 1.1 records over [`std::io::Read`] and [`std::io::Write`], and their CDXJ index.
