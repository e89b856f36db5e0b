/**
 * How a source's CSV is read, as options of csv-parse: LF and CRLF end a record, empty lines are none, a stray quote is
 * text, and a record may have any number of cells, which the contract judges.
 */
export const csvDialect = {
  record_delimiter: ["\r\n", "\n"],
  relax_column_count: true,
  relax_quotes: true,
  skip_empty_lines: true,
};
