"""Stage 3: texts become token ids; and how ragged ids become rectangles."""
