package org.loranative.board.http;

/** A request that is not done, with the status and the sentence that the page gets. */
public final class Refused extends RuntimeException {
  private final int code;

  public Refused(int code, String message) {
    super(message);
    this.code = code;
  }

  /** Something that was asked for does not exist. */
  public static Refused notThere(String what) {
    return new Refused(404, what);
  }

  public int code() {
    return code;
  }
}
