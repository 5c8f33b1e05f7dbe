"""What a caller may do: IAM policies, and what each call needs of them."""
