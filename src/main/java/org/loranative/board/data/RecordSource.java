package org.loranative.board.data;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where a record comes from, by its name in the logs: {@code FILE line N} or {@code FILE record N},
 * or a picture's file, which a measurement follows with the timestep, or σ.
 *
 * @param line counted from 1, 0 for the whole file
 */
record RecordSource(Path file, int line) {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Pattern LINE = Pattern.compile("(.*) (?:line|record) (\\d{1,9})");
  private static final Pattern TIMESTEP = Pattern.compile("(.*\\.\\w{3,4}) (?:t|sigma)[0-9.]+");
  private static final Pattern PICTURE = Pattern.compile("(?i).*\\.(png|jpe?g|webp|gif|bmp)");
  private static final int LONGEST = 8000;

  static RecordSource of(String record) {
    Matcher line = LINE.matcher(record);
    Matcher timestep = TIMESTEP.matcher(record);
    try {
      return line.matches()
          ? new RecordSource(Path.of(line.group(1)), Integer.parseInt(line.group(2)))
          : new RecordSource(Path.of(timestep.matches() ? timestep.group(1) : record), 0);
    } catch (InvalidPathException e) {
      return new RecordSource(Path.of(""), 0);
    }
  }

  Optional<Path> picture() {
    boolean is = line == 0 && PICTURE.matcher(String.valueOf(file.getFileName())).matches();
    return is && Files.isRegularFile(file) ? Optional.of(file) : Optional.empty();
  }

  /** {@code text}, or {@code picture} and {@code caption}; else {@code why} there is neither. */
  ObjectNode describe() {
    ObjectNode node = JSON.createObjectNode();
    try {
      if (picture().isPresent()) {
        node.put("picture", true).put("caption", caption());
      } else if (line > 0 && Files.isRegularFile(file)) {
        node.put("text", text());
      } else {
        node.put("why", file + " is no longer there.");
      }
    } catch (IOException e) {
      node.put("why", file + " cannot be read: " + e.getMessage());
    }
    return node;
  }

  private String caption() throws IOException {
    String name = file.getFileName().toString().replaceFirst("\\.\\w+$", "");
    Path caption = file.resolveSibling(name + ".txt");
    return Files.isRegularFile(caption)
        ? cut(new String(Files.readAllBytes(caption), StandardCharsets.UTF_8).strip())
        : "";
  }

  private String text() throws IOException {
    try (BufferedReader lines =
        new BufferedReader(
            new InputStreamReader(Files.newInputStream(file), StandardCharsets.UTF_8))) {
      String text = lines.readLine();
      for (int i = 1; i < line && text != null; i++) {
        text = lines.readLine();
      }
      return text == null ? "" : cut(text);
    }
  }

  private static String cut(String text) {
    return text.length() > LONGEST ? text.substring(0, LONGEST) + "…" : text;
  }
}
