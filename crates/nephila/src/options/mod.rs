//! The options of a crawl, each once: see [`OPTIONS`].

mod crawl_file;
mod format;
mod masked;
mod reference;
mod serve;
mod settings;
mod table;
mod value;

pub use crawl_file::{DIRECTORY_VERSION, read_seeds, write_crawl_file};
pub use format::{Format, Formats};
pub use masked::masked_value;
pub use reference::{option_line, options_page};
pub use serve::ServeAddress;
pub(crate) use settings::edit_distance;
pub use settings::{BadSetting, Settings, Source, option};
pub use table::{CrawlConfig, Group, OPTIONS, OptionSpec};
pub use value::{
    Auth, CountOrAuto, Delay, Follow, Header, Nofollow, OptionValue, Pattern, Resolve, Size,
    SkipDuplicates,
};
