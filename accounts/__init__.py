"""Who the customer is: member, sign-up, sign-in, addresses, language, wishes about messages."""
