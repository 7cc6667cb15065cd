"""What was sold, to whom, where and when: a row for each order line and charge, and a negative one for what was taken back."""
