package org.loranative.text;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.loranative.Spelling;
import org.loranative.UserException;

/** Chat templates known by name, for bases that bring none. */
public final class NamedTemplates {
  /** Each a resource {@code templates/chat/NAME.jinja}. */
  public static final List<String> NAMES =
      List.of("chatml", "gemma", "llama3", "mistral", "phi3", "zephyr");

  private NamedTemplates() {}

  /**
   * The Jinja of a name or file.
   *
   * @throws UserException naming the nearest, if it is neither
   */
  public static String read(String nameOrFile) {
    if (NAMES.contains(nameOrFile)) {
      return resource(nameOrFile);
    }
    Path file = Path.of(nameOrFile);
    if (!Files.isRegularFile(file)) {
      throw new UserException(
          "chat_template "
              + nameOrFile
              + " is neither a file nor one of "
              + String.join(", ", NAMES)
              + "."
              + Spelling.near(nameOrFile, NAMES)
                  .map(n -> " Did you mean \"" + n + "\"?")
                  .orElse(""));
    }
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UserException(
          "chat_template " + file + " cannot be read as UTF-8 text: " + e.getMessage(), e);
    }
  }

  private static String resource(String name) {
    try (InputStream in =
        NamedTemplates.class.getResourceAsStream("/templates/chat/" + name + ".jinja")) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }
}
