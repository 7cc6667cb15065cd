"""What holds text, JSON or bytes and nothing personal: names that say so by themselves, and places that were looked at.

A name that may be a person's (``SUSPICIOUS``) is never neutral by itself: each place of it is looked at and listed.
"""

import re

SUSPICIOUS = re.compile(
    r"(^|_)(e?mail|phone|contact|address|name|note|birth|gender|iban|account|secret|token|password|remittance|"
    r"evidence|label|agent|ip|network|message|comment|text|title|description|sealed|blind|wrapped|hash|held|request|body)(_|$)"
)

# Names of columns and fields that hold nothing personal wherever they stand.
NAMES = frozenset({
    "about", "action", "allocation", "attributes", "barcodes", "base", "brand", "by_whom", "carrier", "challenge_url",
    "channel", "channels", "class", "code", "country", "currencies", "currency", "cursor", "customer_group",
    "customer_groups", "definition", "delivery", "did", "digest", "disputes", "error", "event_id", "fingerprint", "gateway",
    "group", "holder", "how", "jurisdiction", "key", "kind", "kinds", "language", "list", "locale", "market", "markets",
    "media_type", "methods", "next_plan", "number", "object", "of_invoice", "options", "paid_by", "partition", "pieces",
    "plan", "postcodes", "prefix", "previous", "problem", "projection", "promotion", "proposed_by", "provider", "public",
    "purpose", "quote", "rate", "reason", "reference", "region", "report", "role", "rows", "scopes", "sha256", "sku", "skus",
    "source", "state", "supplying", "tax_class", "tenant", "tracking", "unit", "url", "warehouse", "warehouse_country",
    "warehouses", "why", "withdrawn_how", "zone",
})  # fmt: skip

# Places whose names might be a person's, and are not.
PLACES = frozenset({
    "approval.request.scope", "approval.request.what", "approval.threshold.scope", "closing.period.balance",
    "closing.period.period", "event approval.ApprovalMoved.scope", "event approval.ApprovalMoved.what",
    "event approval.LimitSet.scope", "event closing.PeriodMoved.period", "audit.head.hash", "audit.link.hash",
    "audit.root.document", "audit.signing_key.wrapped_by", "catalog.category.names",
    "catalog.media.alt", "catalog.product_text.description", "catalog.product_text.summary", "catalog.product_text.title",
    "checkout.allowance.name", "checkout.checkout.claim_names", "digital.article.file_name", "digital.entitlement.file_name",
    "identity.consent.text_version", "identity.residence.takes", "jobs.cursor.name", "jobs.run.name",
    "log.event.body", "log.idempotency.answer",
    "log.engine.address", "log.engine.product", "log.engine.url_sealed",
    "log.lease.name", "log.move.proof", "log.projection.name", "ordering.tax_line.name", "ordering.transfer.credit_party",
    "ordering.transfer.debit_party", "pricing.price_list.title", "privacy.certificate.document",
    "privacy.certificate.signature", "privacy.erasure.log_position", "privacy.erasure.removed", "privacy.erasure.waits_for",
    "privacy.ring_key.wrapped_by", "subscription.plan.title",
    "webhook.parked.message", "event business.Document.titles", "event catalog.CategoryChanged.names",
    "event catalog.Media.alt", "event catalog.ProductChanged.texts", "event catalog.ProductText.description",
    "event catalog.ProductText.summary", "event catalog.ProductText.title", "event digital.ArticleChanged.file_name",
    "event ordering.TaxLine.name", "event people.ConsentChanged.text_version", "event pricing.PriceListSaved.title",
    "event promotion.PromotionSaved.title", "event shipping.MethodSaved.title", "event shipping.ZoneSaved.title",
    "event subscription.PlanSaved.title",
})  # fmt: skip
