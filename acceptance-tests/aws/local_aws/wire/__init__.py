"""HTTP and the AWS protocols: how calls come in and how answers go out."""
