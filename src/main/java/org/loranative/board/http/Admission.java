package org.loranative.board.http;

import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import org.loranative.web.LocalServer;

/**
 * Who may look, and who may act.
 *
 * @param token that whoever asks must know; without one only this machine is answered
 */
public record Admission(Optional<String> token) {
  private static final String COOKIE = "lora_native_board";

  /** A header that a page elsewhere cannot send without asking first, which is not answered. */
  private static final String ACT = "X-Lora-Native";

  /**
   * With a token: whoever names it, once in the address, then by a cookie. Without: who asks for
   * this machine by a name of its own, since a page elsewhere could have its name lead here.
   */
  public boolean admits(HttpExchange exchange, Query query) throws IOException {
    if (token.isEmpty()) {
      if (LocalServer.asksLocally(exchange)) {
        return true;
      }
      Reply.text(
          exchange,
          403,
          "The board answers to localhost only; behind a proxy pass that as Host, or set --token.");
      return false;
    }
    if (query.has("token") && LocalServer.same(query.text("token"), token.get())) {
      exchange
          .getResponseHeaders()
          .add("Set-Cookie", COOKIE + "=" + token.get() + "; HttpOnly; SameSite=Strict");
      return true;
    }
    for (String line : exchange.getRequestHeaders().getOrDefault("Cookie", List.of())) {
      for (String part : line.split(";\\s*")) {
        if (part.startsWith(COOKIE + "=")
            && LocalServer.same(part.substring(COOKIE.length() + 1), token.get())) {
          return true;
        }
      }
    }
    Reply.text(
        exchange,
        403,
        "Open this page with ?token=SECRET, the --token that the board was started with.");
    return false;
  }

  /**
   * Refuses what was not sent by the board's own page: a browser sends a page elsewhere's forms and
   * requests here, too, but neither with our header nor with our origin.
   */
  public void requireOwnPage(HttpExchange exchange) {
    Headers headers = exchange.getRequestHeaders();
    boolean marked = "board".equals(headers.getFirst(ACT));
    String type = String.valueOf(headers.getFirst("Content-Type"));
    String site = headers.getFirst("Sec-Fetch-Site");
    String origin = headers.getFirst("Origin");
    boolean sameSite = site == null || site.equals("same-origin");
    if (!marked || !type.startsWith("application/json") || !sameSite || !isOwn(headers, origin)) {
      throw new Refused(403, "Only the board's own page may ask for this.");
    }
  }

  private boolean isOwn(Headers headers, String origin) {
    if (origin == null) {
      return true; // no browser, or an old one, which cannot send our header from elsewhere either
    }
    String from = origin.replaceFirst("^https?://", "");
    return token.isPresent()
        ? "same-origin".equals(headers.getFirst("Sec-Fetch-Site"))
            || from.equals(headers.getFirst("Host"))
        : LocalServer.isLocal(from) && from.equals(headers.getFirst("Host"));
  }
}
