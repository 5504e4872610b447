//! Two Parquet tables joined on the conversation.
