"""The words of the ticket that a bad score opens."""

from collections.abc import Callable

from callcenter.actions.opinions import Words
from callcenter.actions.surveys import FollowUp
from callcenter.store.directory import Organisation
from callcenter.store.surveys import Survey
from screenpop.letters import language_for
from screenpop.render import Renderer
from screenpop.satisfaction import score_words


def words_of(renderer: Renderer, organisation: Callable[[], Organisation]) -> Words:
    """In the organisation's first language, which those who work on the ticket read."""

    def words(survey: Survey, score: int, comment: str | None) -> FollowUp:
        language = language_for(renderer, None, organisation())
        said = score_words(survey.ask, score, language)
        note = language.gettext("After contact %(contact)d the customer answered: %(score)s.")
        note %= {"contact": survey.interaction, "score": said}
        text = (comment or "").strip()
        return FollowUp(
            subject=language.gettext("Unhappy after a contact: %(score)s") % {"score": said},
            note=f"{note}\n\n{text}" if text else note,
        )

    return words
