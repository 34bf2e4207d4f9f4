import{a as r}from"./chat-chunk-4ZHYDPRX.js";import"./chat-chunk-UWKOPLHP.js";export{r as startEngine};
