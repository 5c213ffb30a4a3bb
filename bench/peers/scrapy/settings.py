"""The settings of both spiders: those of Scrapy's page on broad crawls, and what is not needed off."""

# Without the one for timeouts a download has 10 seconds, which large pages on a busy processor exceed.
NEEDED = {
    "scrapy.downloadermiddlewares.downloadtimeout.DownloadTimeoutMiddleware",
    "scrapy.downloadermiddlewares.httpcompression.HttpCompressionMiddleware",
    "scrapy.downloadermiddlewares.redirect.RedirectMiddleware",
    "scrapy.spidermiddlewares.depth.DepthMiddleware",
}


def settings(in_flight, out):
    from scrapy.settings import default_settings as default

    def without(defaults):
        return {name: None for name in defaults if name not in NEEDED}

    return {
        "CONCURRENT_REQUESTS": in_flight,
        "CONCURRENT_REQUESTS_PER_DOMAIN": in_flight,
        # Of one response: as many tasks are made for each, and there are no pipelines to wait for.
        "CONCURRENT_ITEMS": 1,
        "DOWNLOAD_DELAY": 0,
        "AUTOTHROTTLE_ENABLED": False,
        "ROBOTSTXT_OBEY": False,
        "COOKIES_ENABLED": False,
        "RETRY_ENABLED": False,
        "TELNETCONSOLE_ENABLED": False,
        "LOG_LEVEL": "ERROR",
        "REACTOR_THREADPOOL_MAXSIZE": 20,
        "SCHEDULER_PRIORITY_QUEUE": "scrapy.pqueues.DownloaderAwarePriorityQueue",
        "DEPTH_PRIORITY": 1,
        "SCHEDULER_DISK_QUEUE": "scrapy.squeues.PickleFifoDiskQueue",
        "SCHEDULER_MEMORY_QUEUE": "scrapy.squeues.FifoMemoryQueue",
        "DOWNLOADER_MIDDLEWARES": without(default.DOWNLOADER_MIDDLEWARES_BASE),
        "SPIDER_MIDDLEWARES": without(default.SPIDER_MIDDLEWARES_BASE),
        "EXTENSIONS": {
            name: None for name in default.EXTENSIONS_BASE if "feedexport" not in name
        },
        "FEEDS": {out: {"format": "jsonlines", "overwrite": True}},
    }
