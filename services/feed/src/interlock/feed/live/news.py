"""An item of news as the desk may read it: text from outside, cleaned, cut, and only data."""

from urllib.parse import urlsplit

from interlock.feed.live.reports import NewsRead
from interlock.feed.state import FeedSetting
from interlock.model.plain_text import plain_text
from interlock.wire.base import root_ids
from interlock.wire.market import NewsArrived

HEADLINE_CHARS = 300
SUMMARY_CHARS = 2_000
URL_CHARS = 500
NEWS_ID_CHARS = 100


def news_of(setting: FeedSetting, heard: NewsRead) -> NewsArrived:
    """Return the message of a piece of news; its time is never later than its coming."""
    news = heard.news
    message_id, decision_id = root_ids(NewsArrived, setting.dataset, news.news_id)
    named = {setting.instrument_ids.get(symbol) for symbol in news.symbols}
    return NewsArrived(
        message_id=message_id,
        decision_id=decision_id,
        ts_event=min(news.ts, heard.at),
        news_id=plain_text(news.news_id, NEWS_ID_CHARS),
        source=setting.source,
        instrument_ids=sorted(name for name in named if name is not None),
        headline=_one_line(news.headline, HEADLINE_CHARS),
        summary=_one_line(news.summary, SUMMARY_CHARS),
        url=_web_address(news.url),
    )


def _one_line(text: str, max_chars: int) -> str:
    return " ".join(plain_text(text, max_chars).split())


def _web_address(text: str) -> str:
    """Return a plain web address, and nothing for whatever else stands there."""
    url = plain_text(text, URL_CHARS)
    if any(character.isspace() for character in url):
        return ""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return url if parts.scheme in ("http", "https") and parts.hostname else ""
