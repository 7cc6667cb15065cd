"""Where the provider answers: its own sign-in, and OpenID Connect under a path, so that its issuer has one."""

from django.urls import include, path  # type: ignore[import-untyped]  # it ships no types

urlpatterns = [
    path("accounts/", include("django.contrib.auth.urls")),
    path("o/", include("oauth2_provider.urls", namespace="oauth2_provider")),
]
