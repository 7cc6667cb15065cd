"""What others may read of approvals."""

from entrepot.commerce.approval.store import FinancialChange, approval, approvals, changes, last_of, thresholds

__all__ = ["FinancialChange", "approval", "approvals", "changes", "last_of", "thresholds"]
