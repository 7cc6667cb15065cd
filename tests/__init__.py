"""The tests; CONTRIBUTING.md says what each folder shows."""
