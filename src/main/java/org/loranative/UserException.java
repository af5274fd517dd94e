package org.loranative;

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
}
