"""What the provider says of somebody beside their name there: their address, and whether it has seen that it is theirs."""

from typing import Any

from oauth2_provider.oauth2_validators import OAuth2Validator  # type: ignore[import-untyped]  # it ships no types

VERIFIED = "verified"


class Claims(OAuth2Validator):  # type: ignore[misc]  # a class without types
    """Tells the address to who asked for it."""

    oidc_claim_scope = OAuth2Validator.oidc_claim_scope | {"email_verified": "email"}

    def get_additional_claims(self, request: Any) -> dict[str, Any]:
        """Return what django-oauth-toolkit leaves to whoever runs it."""
        verified = request.user.groups.filter(name=VERIFIED).exists()
        return {"email": request.user.email, "email_verified": verified}
