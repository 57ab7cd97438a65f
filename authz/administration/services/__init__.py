"""What an organization's administrators decide, and what is noted of it: machines, invitations, emergencies."""
