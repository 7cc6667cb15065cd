"""What stops somebody who seals or opens: each says what is true, and never a word of what is sealed."""

from uuid import UUID

from entrepot.base.errors import ConflictError, EntrepotError


class SubjectForgottenError(ConflictError):
    """The person's key was destroyed: nothing can be sealed for them any more."""

    slug = "subject-forgotten"

    def __init__(self, subject: UUID) -> None:
        super().__init__(f"The person {subject} was forgotten: nothing can be kept for them.", subject=str(subject))


class SealBrokenError(EntrepotError):
    """A sealed value does not open under the key of its subject for its field: it was changed, or moved from elsewhere."""

    slug = "seal-broken"

    def __init__(self, subject: UUID, field: str) -> None:
        super().__init__(
            f"What is sealed as {field} for {subject} does not open: it was changed, or is another's; restore it.",
            subject=str(subject),
            field=field,
        )
