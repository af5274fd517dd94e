package org.loranative;

import java.io.EOFException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;

/**
 * Something the user can mend: bad input, a missing file, a setting that does not fit. The message
 * is one sentence that names the file, line or key, what was expected and what to do; the command
 * line prints it without a stack trace and exits with 2.
 */
public class UserException extends RuntimeException {
  public UserException(String message) {
    super(message);
  }

  public UserException(String message, Throwable cause) {
    super(message, cause);
  }

  /** What an exception says of its cause, in words; never a class name or "null". */
  public static String reason(Throwable e) {
    if (e instanceof EOFException) {
      return "it ends too early";
    } else if (e instanceof NoSuchFileException) {
      return "it does not exist";
    } else if (e instanceof AccessDeniedException) {
      return "permission is denied";
    } else if (e instanceof FileSystemException f && f.getReason() != null) {
      return f.getReason();
    } else if (e instanceof UncheckedIOException && e.getCause() != null) {
      return reason(e.getCause());
    } else if (e.getMessage() == null || e instanceof RuntimeException && isCode(e.getMessage())) {
      return "it is damaged";
    }
    return e.getMessage();
  }

  /** A number or an expression, as Java's own checks give. */
  private static boolean isCode(String message) {
    return !message.contains(" ")
        || message.startsWith("Index ")
        || message.contains("java.")
        || message.matches("(?s).*\\w@[0-9a-f]{5,8}\\b.*"); // an object without words of its own
  }
}
