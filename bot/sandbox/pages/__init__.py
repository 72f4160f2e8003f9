"""The pages of the local GitHub: what people see, and forms with which they act as anybody."""
