"""What somebody is told who may not: each says nothing of the thing that was asked for."""

from entrepot.base.errors import EntrepotError, NotFoundError


class ForbiddenError(EntrepotError):
    """Who asks holds no role, or the key no scope, that lets them do this."""

    slug = "forbidden"
    status = 403
    exit_code = 8

    def __init__(self, permission: str) -> None:
        super().__init__(
            f"This takes the permission {permission}, which you do not have: ask an administrator, or use another key.",
            permission=permission,
        )


class SecondFactorNeededError(EntrepotError):
    """Who works for the platform has signed in without a second factor, which this house asks of its staff."""

    slug = "second-factor-needed"
    status = 403
    exit_code = 8

    def __init__(self) -> None:
        super().__init__(
            "Your role takes a second factor: set up an authenticator or a passkey (/account/security), then prove by it who "
            "you are."
        )


class WhoseNeededError(EntrepotError):
    """Who may see only their own asked for everybody's."""

    slug = "whose-needed"
    status = 403
    exit_code = 8

    def __init__(self, permission: str) -> None:
        super().__init__(
            f"Your permission {permission} is for what is yours or your company's: name the customer, company or thing.",
            permission=permission,
        )


class ReasonNeededError(EntrepotError):
    """Who works for the platform looks at what belongs to somebody, and must say why."""

    slug = "reason-needed"
    status = 403
    exit_code = 8

    def __init__(self) -> None:
        super().__init__("This belongs to somebody: say why you look at it, in the header Entrepot-Why, by naming the case.")


class NotYoursError(NotFoundError):
    """There is no such thing, or none that is for who asks; which of the two is not told."""

    def __init__(self) -> None:
        super().__init__("There is nothing here that is yours to see: check the id, and as whom you have signed in.")
