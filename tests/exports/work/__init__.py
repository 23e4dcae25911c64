"""Tests of the queue of exports, of its workers and of their mails."""
