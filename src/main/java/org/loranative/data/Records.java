package org.loranative.data;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.apache.commons.csv.CSVException;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVParser;
import org.apache.commons.csv.CSVRecord;
import org.loranative.Counted;
import org.loranative.UserException;
import org.loranative.io.JsonFile;
import org.loranative.io.LfsPointer;
import org.loranative.track.Phase;

/**
 * Reads .jsonl, .json, .csv, .parquet and .txt files into records with named fields; of all but
 * Parquet also what gzip has packed. A field that a record names twice is never one of the two in
 * silence.
 */
public final class Records {
  private static final ObjectMapper JSON =
      JsonMapper.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build();

  /** A record: its fields, and where it stands. */
  public record Raw(Source source, JsonNode fields) {}

  /** A record that cannot be used, and why. */
  public record Skipped(Source source, String reason) {
    @Override
    public String toString() {
      return source + ": " + reason;
    }
  }

  private final List<Raw> records = new ArrayList<>();
  private final List<Skipped> skipped = new ArrayList<>();

  private final List<String> leftOut = new ArrayList<>();
  private final Phase phase = new Phase("records read");
  private final TextFile.Encoding encoding;

  private Records(TextFile.Encoding encoding) {
    this.encoding = encoding;
  }

  /** The records of a file, or of the files of a folder that are for training, in name order. */
  public static Records read(Path path) {
    return read(path, TextFile.Encoding.UTF_8);
  }

  /**
   * @param encoding of files without a byte-order mark
   */
  public static Records read(Path path, TextFile.Encoding encoding) {
    Records result = new Records(encoding);
    if (Files.isDirectory(path)) {
      DataFiles files = DataFiles.of(path);
      files.chosen().forEach(result::readNamed);
      result.leftOut.addAll(files.describe(path));
    } else if (Files.exists(path)) {
      result.readNamed(path);
    } else {
      throw new UserException("The data file " + path + " does not exist.");
    }
    result.phase.end();
    return result;
  }

  private void readNamed(Path file) {
    try {
      readFile(file);
    } catch (CharacterCodingException e) {
      throw TextFile.undecodable(file, encoding, e);
    } catch (IOException e) {
      throw new UserException(file + " cannot be read: " + UserException.reason(e) + ".", e);
    }
  }

  /** The first records alone. */
  public Records first(int most) {
    Records some = new Records(encoding);
    some.records.addAll(records.subList(0, Math.min(most, records.size())));
    some.skipped.addAll(skipped);
    some.leftOut.addAll(leftOut);
    return some;
  }

  public List<Raw> records() {
    return records;
  }

  public List<Skipped> skipped() {
    return skipped;
  }

  /** Files of a folder that were not read, with the reason; a line for each reason. */
  public List<String> leftOut() {
    return leftOut;
  }

  private void readFile(Path file) throws IOException {
    LfsPointer.refuse(file);
    switch (DataFiles.kind(file).orElse("")) {
      case "jsonl", "ndjson" -> readLines(file);
      case "json" -> readJson(file);
      case "csv" -> readCsv(file);
      case "parquet" -> readParquet(file);
      case "txt" -> readText(file);
      default -> throw DataFiles.unread(file);
    }
  }

  private void readLines(Path file) throws IOException {
    try (BufferedReader reader = TextFile.open(file, encoding)) {
      long number = 0;
      for (String text = reader.readLine(); text != null; text = reader.readLine()) {
        number++;
        if (text.isBlank()) {
          continue;
        }
        Source source = new Source(file, number);
        try {
          add(source, JSON.readTree(text));
        } catch (JacksonException e) {
          skipped.add(new Skipped(source, "not valid JSON: " + JsonFile.problem(e)));
        }
      }
    }
  }

  /** A list of records, or one behind the other as many a .json of the hub has them. */
  private void readJson(Path file) throws IOException {
    try (JsonParser parser = JSON.createParser(TextFile.open(file, encoding))) {
      JsonToken first = parser.nextToken();
      if (first != JsonToken.START_ARRAY && first != JsonToken.START_OBJECT) {
        throw new UserException(file + " must hold a list of records: [ {…}, {…} ].");
      }
      JsonToken next = first == JsonToken.START_ARRAY ? parser.nextToken() : first;
      while (next != null && next != JsonToken.END_ARRAY) {
        long line = parser.currentTokenLocation().getLineNr();
        add(new Source(file, line), JSON.readTree(parser));
        next = parser.nextToken();
      }
    } catch (JacksonException e) {
      long line = e.getLocation() == null ? 1 : e.getLocation().getLineNr();
      throw new UserException(
          file + " line " + line + " is not valid JSON: " + JsonFile.problem(e) + ".", e);
    }
  }

  private void readParquet(Path file) throws IOException {
    long[] row = {0};
    try {
      ParquetFile.read(file, fields -> add(new Source(file, ++row[0]), fields));
    } catch (UserException e) {
      throw e;
    } catch (RuntimeException e) {
      throw new UserException(
          file + " is no Parquet file that can be read: " + UserException.reason(e) + ".", e);
    }
  }

  private void readCsv(Path file) throws IOException {
    CSVFormat format =
        CSVFormat.DEFAULT
            .builder()
            .setHeader()
            .setSkipHeaderRecord(true)
            .setAllowMissingColumnNames(true) // as of the row numbers that pandas writes
            .get();
    try (Reader reader = TextFile.open(file, encoding);
        CSVParser parser = CSVParser.parse(reader, format)) {
      requireUnique(file, parser.getHeaderNames());
      requireCommas(file, parser.getHeaderNames());
      for (CSVRecord row : parser) {
        Source source = new Source(file, parser.getCurrentLineNumber());
        if (row.size() != parser.getHeaderNames().size()) {
          skipped.add(
              new Skipped(
                  source,
                  Counted.of(row.size(), "field")
                      + ", but the header names "
                      + parser.getHeaderNames().size()));
          continue;
        }
        ObjectNode fields = JSON.createObjectNode();
        row.toMap().forEach((name, value) -> fields.put(name.strip(), value));
        fields.remove("");
        add(source, fields);
      }
    } catch (UncheckedIOException e) {
      if (e.getCause() instanceof CharacterCodingException c) {
        throw c;
      }
      throw notCsv(file, e);
    } catch (CSVException | IllegalArgumentException e) {
      throw notCsv(file, e);
    }
  }

  private static void requireUnique(Path file, List<String> columns) {
    Set<String> seen = new HashSet<>();
    for (String column : columns) {
      String name = column.strip();
      if (!name.isEmpty() && !seen.add(name)) {
        throw new UserException(
            file
                + " has two columns \""
                + name
                + "\"; give each a name of its own, or remove one.");
      }
    }
  }

  /** Excel writes semicolons where numbers have decimal commas. */
  private static void requireCommas(Path file, List<String> columns) {
    String only = columns.size() == 1 ? columns.get(0) : "";
    if (only.contains(";") || only.contains("\t")) {
      throw new UserException(
          file
              + " parts its fields by "
              + (only.contains(";") ? "semicolons" : "tabs")
              + ", but commas are expected; save it as CSV with commas.");
    }
  }

  private static UserException notCsv(Path file, Exception e) {
    String reason = UserException.reason(e).replaceFirst("^(\\w+\\.)+\\w+: ", "");
    return new UserException(
        file
            + " is not valid CSV: "
            + reason.replaceFirst("[.]?$", ".")
            + " The first line names the fields; text with commas or line ends stands in double"
            + " quotes, a quote in it is doubled.",
        e);
  }

  /** Blank lines part documents. */
  private void readText(Path file) throws IOException {
    StringBuilder document = new StringBuilder();
    long number = 0;
    long start = 1;
    List<String> lines = new ArrayList<>();
    try (BufferedReader reader = TextFile.open(file, encoding)) {
      reader.lines().forEach(lines::add);
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
    lines.add("");
    for (String line : lines) {
      number++;
      if (line.isBlank()) {
        if (!document.isEmpty()) {
          add(new Source(file, start), JSON.createObjectNode().put("text", document.toString()));
        }
        document.setLength(0);
        start = number + 1;
      } else {
        document.append(document.isEmpty() ? "" : "\n").append(line);
      }
    }
  }

  private void add(Source source, JsonNode fields) {
    phase.next();
    if (fields.isObject()) {
      records.add(new Raw(source, fields));
    } else {
      skipped.add(new Skipped(source, "not a record with named fields"));
    }
  }
}
