package org.loranative.board;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.openqa.selenium.By;
import org.openqa.selenium.OutputType;
import org.openqa.selenium.WebDriverException;
import org.openqa.selenium.WebElement;
import org.openqa.selenium.chrome.ChromeDriver;
import org.openqa.selenium.chrome.ChromeDriverService;
import org.openqa.selenium.chrome.ChromeOptions;
import org.openqa.selenium.logging.LogEntry;
import org.openqa.selenium.logging.LogType;
import org.openqa.selenium.logging.LoggingPreferences;

/**
 * A page in headless Chromium, for the tests of the board's page; they are passed over where that
 * is not installed. Leaves pictures in target/board.
 */
abstract class InBrowser {
  private static final Path CHROMIUM = Path.of("/usr/bin/chromium");
  private static final Path DRIVER = Path.of("/usr/bin/chromedriver");

  private static final java.util.logging.Logger SELENIUM =
      java.util.logging.Logger.getLogger("org.openqa.selenium");

  static ChromeDriver browser;

  @TempDir Path folder;
  Board board;

  @BeforeAll
  static void open() {
    Assumptions.assumeTrue(Files.exists(CHROMIUM) && Files.exists(DRIVER), "no Chromium");
    // It misses a DevTools package for this version of Chromium, which nothing here needs.
    SELENIUM.setLevel(java.util.logging.Level.SEVERE);
    LoggingPreferences logs = new LoggingPreferences();
    logs.enable(LogType.BROWSER, java.util.logging.Level.ALL);
    ChromeOptions options = new ChromeOptions();
    options.setBinary(CHROMIUM.toString());
    options.setCapability("goog:loggingPrefs", logs);
    options.addArguments(
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync");
    browser =
        new ChromeDriver(
            new ChromeDriverService.Builder().usingDriverExecutable(DRIVER.toFile()).build(),
            options);
  }

  @AfterAll
  static void close() {
    if (browser != null) {
      browser.quit();
    }
  }

  @AfterEach
  void closeBoard() {
    browser.get("about:blank");
    browser.manage().logs().get(LogType.BROWSER);
    if (board != null) {
      board.close();
    }
  }

  static void screen(int width, int height, boolean dark) {
    browser.executeCdpCommand(
        "Emulation.setDeviceMetricsOverride",
        Map.of("width", width, "height", height, "deviceScaleFactor", 1, "mobile", false));
    Map<String, Object> scheme =
        Map.of("name", "prefers-color-scheme", "value", dark ? "dark" : "light");
    browser.executeCdpCommand("Emulation.setEmulatedMedia", Map.of("features", List.of(scheme)));
  }

  /**
   * Waits until {@code done}; what it asks for may not be on the page yet, or be drawn just then.
   */
  static void until(String what, BooleanSupplier done) {
    boolean seen = false;
    Optional<RuntimeException> why = Optional.empty();
    for (int i = 0; i < 400 && !seen; i++) {
      try {
        seen = done.getAsBoolean();
        why = Optional.empty();
      } catch (WebDriverException | NullPointerException | IndexOutOfBoundsException e) {
        why = Optional.of(e);
      }
      if (!seen) {
        pause(50);
      }
    }
    assertThat(seen).as("%s %s", what, why.map(Throwable::toString).orElse("")).isTrue();
  }

  static void pause(long millis) {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  static void picture(String name) throws IOException {
    pause(400);
    Path target = Files.createDirectories(Path.of("target/board"));
    Files.write(target.resolve(name + ".png"), browser.getScreenshotAs(OutputType.BYTES));
  }

  static Object js(String script) {
    return browser.executeScript("return " + script);
  }

  static List<WebElement> all(String selector) {
    return browser.findElements(By.cssSelector(selector));
  }

  static void noErrors() {
    List<String> errors =
        browser.manage().logs().get(LogType.BROWSER).getAll().stream()
            .map(LogEntry::getMessage)
            .toList();
    assertThat(errors).isEmpty();
  }

  void load(String place) {
    browser.get("about:blank");
    browser.get(board.address() + place);
    until("the runs are there", () -> !all("#list li").isEmpty());
    until(
        "all is read",
        () ->
            !String.valueOf(js("document.getElementById('status').textContent"))
                .contains("reading"));
  }

  void loadCharts(String place) {
    load(place);
    until("charts are drawn", () -> all(".plot[data-curves]").size() >= 3);
  }

  void openBoard() {
    board = new Board(List.of(folder), "127.0.0.1", 0, Optional.empty());
  }

  static double[] range() {
    return new double[] {
      ((Number) js("Number(document.querySelector('.plot').dataset.min)")).doubleValue(),
      ((Number) js("Number(document.querySelector('.plot').dataset.max)")).doubleValue()
    };
  }

  static void fits() {
    assertThat(
            (Long)
                js("document.documentElement.scrollWidth - document.documentElement.clientWidth"))
        .as("nothing is wider than the screen, less its scrollbar")
        .isNotPositive();
  }

  static void view(String name) {
    browser.findElement(By.cssSelector("nav [data-view=" + name + "]")).click();
  }

  /** Chooses an option by its value. */
  static void choose(String select, String value) {
    browser.findElement(By.cssSelector(select + " option[value='" + value + "']")).click();
  }
}
