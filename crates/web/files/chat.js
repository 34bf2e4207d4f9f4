import{a as r}from"./chat-chunk-4ZHYDPRX.js";import{r as e}from"./chat-chunk-UWKOPLHP.js";e(globalThis,r);
