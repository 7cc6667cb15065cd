"""The series role: numbers over time, kept for a while as they came and longer by the minute."""
