package org.loranative.data;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.Reader;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.apache.commons.csv.CSVException;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVParser;
import org.apache.commons.csv.CSVRecord;
import org.loranative.UserException;

/** Reads .jsonl, .json, .csv and .txt files into records with named fields. */
public final class Records {
  private static final ObjectMapper JSON = new ObjectMapper();

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

  private Records() {}

  /** The records of a file, or of every data file in a folder, in name order. */
  public static Records read(Path path) {
    Records result = new Records();
    try {
      if (Files.isDirectory(path)) {
        try (Stream<Path> files = Files.list(path)) {
          for (Path file : files.filter(f -> !kind(f).isEmpty()).sorted().toList()) {
            result.readFile(file);
          }
        }
      } else if (Files.exists(path)) {
        result.readFile(path);
      } else {
        throw new UserException("The data file " + path + " does not exist.");
      }
    } catch (CharacterCodingException e) {
      throw new UserException(path + " is not UTF-8 text; convert it to UTF-8.", e);
    } catch (IOException e) {
      throw new UserException(path + " cannot be read: " + e.getMessage(), e);
    }
    return result;
  }

  public List<Raw> records() {
    return records;
  }

  public List<Skipped> skipped() {
    return skipped;
  }

  private static String kind(Path file) {
    String name = file.getFileName().toString().toLowerCase(Locale.ROOT);
    for (String ending : List.of("jsonl", "ndjson", "json", "csv", "txt")) {
      if (name.endsWith("." + ending)) {
        return ending;
      }
    }
    return "";
  }

  private void readFile(Path file) throws IOException {
    switch (kind(file)) {
      case "jsonl", "ndjson" -> readLines(file);
      case "json" -> readJson(file);
      case "csv" -> readCsv(file);
      case "txt" -> readText(file);
      default ->
          throw new UserException(
              file + " has an unknown ending; .jsonl, .json, .csv and .txt can be read.");
    }
  }

  private void readLines(Path file) throws IOException {
    long number = 0;
    for (String line : Files.readAllLines(file)) {
      number++;
      String text = number == 1 ? withoutBom(line) : line;
      if (text.isBlank()) {
        continue;
      }
      Source source = new Source(file, number);
      try {
        add(source, JSON.readTree(text));
      } catch (JacksonException e) {
        skipped.add(new Skipped(source, "not valid JSON: " + e.getOriginalMessage()));
      }
    }
  }

  private static String withoutBom(String line) {
    return line.startsWith("\uFEFF") ? line.substring(1) : line;
  }

  private void readJson(Path file) throws IOException {
    try (JsonParser parser = JSON.createParser(withoutBom(Files.readString(file)))) {
      if (parser.nextToken() == JsonToken.START_ARRAY) {
        while (parser.nextToken() != JsonToken.END_ARRAY) {
          long line = parser.currentTokenLocation().getLineNr();
          add(new Source(file, line), JSON.readTree(parser));
        }
      } else {
        throw new UserException(file + " must hold a list of records: [ {…}, {…} ].");
      }
    } catch (JacksonException e) {
      long line = e.getLocation() == null ? 1 : e.getLocation().getLineNr();
      throw new UserException(
          file + " line " + line + " is not valid JSON: " + e.getOriginalMessage() + ".", e);
    }
  }

  private void readCsv(Path file) throws IOException {
    CSVFormat format = CSVFormat.DEFAULT.builder().setHeader().setSkipHeaderRecord(true).get();
    try (Reader reader = Files.newBufferedReader(file, StandardCharsets.UTF_8);
        CSVParser parser = CSVParser.parse(reader, format)) {
      for (CSVRecord row : parser) {
        Source source = new Source(file, parser.getCurrentLineNumber());
        if (!row.isConsistent()) {
          skipped.add(
              new Skipped(
                  source,
                  row.size() + " fields, but the header names " + parser.getHeaderNames().size()));
          continue;
        }
        ObjectNode fields = JSON.createObjectNode();
        row.toMap().forEach((name, value) -> fields.put(withoutBom(name).strip(), value));
        add(source, fields);
      }
    } catch (CSVException | java.io.UncheckedIOException | IllegalArgumentException e) {
      throw new UserException(file + " is not valid CSV: " + e.getMessage(), e);
    }
  }

  /** Blank lines part documents. */
  private void readText(Path file) throws IOException {
    StringBuilder document = new StringBuilder();
    long number = 0;
    long start = 1;
    List<String> lines = new ArrayList<>(Files.readAllLines(file));
    lines.add("");
    for (String line : lines) {
      number++;
      if (line.isBlank()) {
        if (!document.isEmpty()) {
          add(
              new Source(file, start),
              JSON.createObjectNode().put("text", withoutBom(document.toString())));
        }
        document.setLength(0);
        start = number + 1;
      } else {
        document.append(document.isEmpty() ? "" : "\n").append(line);
      }
    }
  }

  private void add(Source source, JsonNode fields) {
    if (fields.isObject()) {
      records.add(new Raw(source, fields));
    } else {
      skipped.add(new Skipped(source, "not a record with named fields"));
    }
  }
}
