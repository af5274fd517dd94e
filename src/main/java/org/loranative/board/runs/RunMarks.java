package org.loranative.board.runs;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.loranative.board.http.Refused;
import org.loranative.io.AtomicFiles;

/**
 * What a person says of a run, in {@code board.json} in its folder: {@code note}, {@code labels},
 * {@code colour}, {@code pinned}. It goes where the run goes.
 */
public final class RunMarks {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int LONGEST = 4000;

  private RunMarks() {}

  /**
   * @param run its folder
   */
  static Path file(Path run) {
    return run.resolve("board.json");
  }

  /** What is said; an empty object where nothing is. */
  static ObjectNode read(Path run) {
    try {
      Path file = file(run);
      return Files.isRegularFile(file)
              && JSON.readTree(Files.readAllBytes(file)) instanceof ObjectNode marks
          ? clean(marks)
          : JSON.createObjectNode();
    } catch (IOException e) {
      return JSON.createObjectNode();
    }
  }

  /** Changes the marks that are named; one change after the other, so that none is lost. */
  public static synchronized void change(Path run, JsonNode marks) {
    ObjectNode all = read(run);
    all.setAll(clean(marks));
    try {
      AtomicFiles.writeString(file(run), all.toPrettyString() + "\n");
    } catch (IOException e) {
      throw new Refused(
          409, "The marks cannot be written to " + file(run) + " (" + e.getMessage() + ").");
    }
  }

  private static ObjectNode clean(JsonNode marks) {
    ObjectNode clean = JSON.createObjectNode();
    if (marks.path("note").isTextual()) {
      String note = marks.path("note").asText();
      clean.put("note", note.substring(0, Math.min(LONGEST, note.length())));
    }
    if (marks.path("labels").isArray()) {
      var labels = clean.putArray("labels");
      marks.path("labels").forEach(t -> labels.add(t.asText().strip()));
    }
    if (marks.path("colour").asText("-").matches("|#[0-9a-fA-F]{6}")) {
      clean.put("colour", marks.path("colour").asText());
    }
    if (marks.path("pinned").isBoolean()) {
      clean.put("pinned", marks.path("pinned").asBoolean());
    }
    return clean;
  }
}
