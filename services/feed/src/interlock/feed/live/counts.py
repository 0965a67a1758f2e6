"""What became of everything a live source has said."""

from dataclasses import asdict, dataclass


@dataclass(slots=True)
class Counts:
    """Since the start of the process. `conflated` quotes were overtaken by a later one in time."""

    rows: int = 0
    rows_known: int = 0
    rows_published: int = 0
    quotes: int = 0
    quotes_published: int = 0
    quotes_conflated: int = 0
    quotes_dropped: int = 0
    trades: int = 0
    trades_late: int = 0
    trades_dropped: int = 0
    news: int = 0
    news_known: int = 0
    strangers: int = 0

    def table(self) -> dict[str, int]:
        return asdict(self)
