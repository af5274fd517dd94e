package org.loranative.io;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.IOException;
import java.nio.file.Path;
import org.loranative.UserException;

/** The JSON files beside weights. */
public final class JsonFile {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final ObjectMapper INDENTED =
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

  private JsonFile() {}

  /** Writes a file for people, too: indented. */
  public static void write(Path file, JsonNode json) throws IOException {
    byte[] bytes = INDENTED.writeValueAsBytes(json);
    AtomicFiles.write(file, out -> out.write(bytes));
  }

  /** What is wrong with JSON, in words. */
  public static String problem(JacksonException e) {
    return e.getOriginalMessage().replaceAll(" \\(start marker at \\[[^\\]]*\\]\\)", "");
  }

  /**
   * @throws UserException that names the file and what is wrong with it
   */
  public static JsonNode read(Path file) {
    try {
      JsonNode node = JSON.readTree(file.toFile());
      if (node.isMissingNode()) {
        throw new UserException(file + " is empty; download it again.");
      }
      return node;
    } catch (JacksonException e) {
      LfsPointer.refuse(file);
      int line = e.getLocation() == null ? 1 : e.getLocation().getLineNr();
      throw new UserException(file + " line " + line + " is not JSON: " + problem(e) + ".", e);
    } catch (IOException e) {
      throw new UserException(file + " cannot be read: " + UserException.reason(e) + ".", e);
    }
  }
}
