"""From a day's figures to the question about them."""

from interlock.local_reasoner.config import PostMortemConfig
from interlock.reasoning.day_answers import POST_MORTEM
from interlock.reasoning.ports import Question
from interlock.reasoning.prompt import Prompt, filled
from interlock.wire.accounts import DaySummarised


def day_question(
    prompt: Prompt, config: PostMortemConfig, day: DaySummarised, figures: dict[str, float]
) -> Question:
    blanks = {
        "desk": day.desk,
        "day": str(day.day),
        "figures": "\n".join(f"{name}: {value:g}" for name, value in figures.items()),
    }
    return Question(
        system=filled(prompt.system, blanks),
        prompt=filled(prompt.question, blanks),
        schema=POST_MORTEM,
        max_tokens=config.max_tokens,
        timeout_seconds=config.timeout_seconds,
        facts=figures,
        prompt_files=prompt.files,
    )
